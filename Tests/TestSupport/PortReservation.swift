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
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = descriptor
        var one: CInt = 1
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        let status = unsafe address.withSockAddr { unsafe bind(descriptor, $0, socklen_t($1)) }
        guard status == 0, let port = Self.port(of: descriptor) else {
            throw IOError(errnoCode: errno, reason: "a port can't be reserved")
        }
        self.port = port
    }

    /// Returns the port that a socket is bound to.
    ///
    /// The address is read as bytes: in a clean build the structure's members belong to any of several modules.
    private static func port(of descriptor: CInt) -> Int? {
        unsafe withUnsafeTemporaryAllocation(byteCount: MemoryLayout<sockaddr_in>.size, alignment: 4) { bytes in
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let status = unsafe getsockname(descriptor, bytes.bindMemory(to: sockaddr.self).baseAddress, &size)
            return status == 0 ? unsafe SocketAddress(bytes.loadUnaligned(as: sockaddr_in.self)).port : nil
        }
    }

    /// Listens on the port, so that nobody else can.
    package func listen() throws {
        guard Glibc.listen(descriptor, 1) == 0 else {
            throw IOError(errnoCode: errno, reason: "a port can't be listened on")
        }
    }

    deinit { close(descriptor) }
}
