import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// Connects to the daemon's socket.
///
/// By hand, as NIO takes no path of more than 103 bytes, and the kernel takes 107. Connecting to a Unix socket never takes
/// time: it is done, or refused, at once; where too many wait in the socket's queue that is `EAGAIN`.
enum DaemonConnection {
    /// `sun_path` less the zero at its end.
    static var longestPath: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1 }

    /// A connected socket; the path is one that a socket can have.
    static func open(_ path: String) throws -> CInt {
        var address = sockaddr_un()
        guard path.utf8.count <= longestPath else { throw SocketAddressError.unixDomainSocketPathTooLong }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        let code = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            let error = IOError(errnoCode: errno, reason: "connect")
            close(descriptor)
            throw error
        }
        return descriptor
    }
}
