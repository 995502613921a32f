import Glibc
import NIOCore

/// Holds a port by a socket that is bound and never listens.
///
/// While the stand-in refuses connections nobody listens on its port. Without this socket another process could be given
/// the port meanwhile, and a client whose own port the kernel draws could even connect to itself.
final class PortReservation: Sendable {
    /// The port.
    let port: Int
    private let descriptor: CInt

    /// Reserves a port of an address; 0: any free one.
    ///
    /// Whoever listens on it has to set SO_REUSEADDR.
    init(_ host: LoopbackHost, port: Int) throws {
        let wanted = try SocketAddress(ipAddress: host.address, port: port)
        let family = wanted.protocol == .inet6 ? AF_INET6 : AF_INET
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        do {
            try Self.bind(descriptor, to: wanted)
            self.port = try Self.port(of: descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    private static func bind(_ descriptor: CInt, to address: SocketAddress) throws {
        var yes: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size) == 0 else {
            throw IOError(errnoCode: errno, reason: "setsockopt")
        }
        let result = unsafe address.withSockAddr { pointer, size in
            unsafe Glibc.bind(descriptor, pointer, socklen_t(size))
        }
        guard result == 0 else { throw IOError(errnoCode: errno, reason: "bind") }
    }

    private static func port(of descriptor: CInt) throws -> Int {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe getsockname(descriptor, address, &size)
            }
        }
        guard result == 0 else { throw IOError(errnoCode: errno, reason: "getsockname") }
        // The port lies behind the family in both families, in network order.
        return unsafe withUnsafeBytes(of: storage) { bytes in
            unsafe Int(bytes[2]) << 8 | Int(bytes[3])
        }
    }
}
