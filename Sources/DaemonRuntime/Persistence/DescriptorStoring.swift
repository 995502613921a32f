import Systemd

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A store that holds descriptors while no daemon runs.
///
/// Its calls may block, so they don't belong on an event loop.
package protocol DescriptorStoring: Sendable {
    /// True if there is a store that is large enough.
    var isAvailable: Bool { get }

    /// Adds a descriptor.
    ///
    /// An earlier descriptor with the same name stays in the store, too.
    ///
    /// - Returns: False if the store could not be reached.
    func put(_ descriptor: CInt, named name: String) -> Bool

    /// Removes all descriptors of a name.
    func remove(_ name: String)

    /// Waits, with a timeout, until the store has handled all earlier calls.
    func wait(seconds: UInt64)
}

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
