import Glibc
import NIOCore

/// A port of a loopback address that no other socket gets from the kernel, but that a server can listen on.
///
/// The port is bound with `SO_REUSEADDR` and not listened on, so that another socket with that option may bind it too.
package final class PortReservation: Sendable {
    private let descriptor: CInt
    /// The port.
    package let port: Int

    /// Reserves a port of 127.0.0.1.
    package init() throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var (one, address) = (CInt(1), sockaddr_in())
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, size) == 0 ? unsafe getsockname(descriptor, $0, &size) : -1
            }
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
        guard status == 0 else { throw IOError(errnoCode: errno, reason: "a port can't be reserved") }
    }

    /// Listens on the port, so that nobody else can.
    package func listen() throws {
        guard Glibc.listen(descriptor, 1) == 0 else {
            throw IOError(errnoCode: errno, reason: "a port can't be listened on")
        }
    }

    deinit { close(descriptor) }
}
