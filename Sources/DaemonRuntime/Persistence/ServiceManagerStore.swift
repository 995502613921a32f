import Systemd

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The service manager's store, as this process's environment names it.
package struct ServiceManagerStore: DescriptorStoring {
    /// Creates access to the store.
    package init() {}

    package var isAvailable: Bool {
        let environment = ProcessInfo.processInfo.environment
        return DescriptorStore.isAvailable(socket: environment["NOTIFY_SOCKET"], size: environment["FDSTORE"])
    }

    package func put(_ descriptor: CInt, named name: String) -> Bool { DescriptorStore.put(descriptor, named: name) }

    package func remove(_ name: String) { DescriptorStore.remove(name) }

    package func wait(seconds: UInt64) { DescriptorStore.wait(seconds: seconds) }
}
