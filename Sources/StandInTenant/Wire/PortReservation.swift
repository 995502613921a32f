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
    ///
    /// The address is read as bytes: in a clean build the structure's members belong to any of several modules.
    private static func bind(_ descriptor: CInt, to port: Int) throws -> Int {
        let wanted = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let bound: Int? = unsafe withUnsafeTemporaryAllocation(byteCount: MemoryLayout<sockaddr_in>.size, alignment: 4)
        { bytes in
            var (yes, size) = (CInt(1), socklen_t(MemoryLayout<sockaddr_in>.size))
            guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4) == 0,
                unsafe wanted.withSockAddr({ unsafe Glibc.bind(descriptor, $0, socklen_t($1)) }) == 0,
                unsafe getsockname(descriptor, bytes.bindMemory(to: sockaddr.self).baseAddress, &size) == 0
            else { return nil }
            return unsafe SocketAddress(bytes.loadUnaligned(as: sockaddr_in.self)).port
        }
        guard let bound else { throw IOError(errnoCode: errno, reason: "a port can't be reserved") }
        return bound
    }
}
