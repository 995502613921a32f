import Glibc
import NIOCore

/// Holds a port of 127.0.0.1 by a socket that is bound and never listens.
///
/// Without it another process could get the port while the stand-in refuses connections, and a client whose own port
/// the kernel chooses could even connect to itself.
final class PortReservation: Sendable {
    let port: Int
    private let descriptor: CInt

    /// Reserves a port, or any free one for 0.
    ///
    /// A socket that listens on it has to set SO_REUSEADDR.
    init(_ port: Int) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        do {
            self.port = try Self.bind(descriptor, to: port)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// Binds a socket, and returns its port.
    private static func bind(_ descriptor: CInt, to port: Int) throws -> Int {
        var yes: CInt = 1
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4) == 0 else { return CInt(-1) }
                guard unsafe Glibc.bind(descriptor, address, size) == 0 else { return CInt(-1) }
                return unsafe getsockname(descriptor, address, &size)
            }
        }
        guard result == 0 else { throw IOError(errnoCode: errno, reason: "a port can't be reserved") }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}
