import Foundation
import Glibc

/// A stand-in for the service manager, with a datagram socket for a service's notifications.
package final class ManagerSocket {
    /// The socket's path.
    package let path: String
    private let descriptor: CInt

    /// Binds a socket at a path.
    package init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let bound = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw POSIXError(.EADDRINUSE) }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Returns the oldest notification that has arrived, or nil; one that was sent by this process has arrived.
    package func notification() -> String? { receive(CInt(MSG_DONTWAIT)) }

    /// Waits for a notification that contains a text, for half a minute at most between two notifications.
    ///
    /// - Returns: True if it has arrived.
    package func wait(for text: String) -> Bool {
        while let notification = receive(0) {
            if notification.contains(text) { return true }
        }
        return false
    }

    private func receive(_ flags: CInt) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, flags) }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}

@available(*, unavailable)
extension ManagerSocket: Sendable {}
