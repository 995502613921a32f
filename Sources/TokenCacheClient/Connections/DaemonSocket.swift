import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// Connects to the daemon's socket.
///
/// NIO's own bootstrap accepts paths of at most 103 bytes, and the kernel accepts 107. Connecting to a Unix socket never
/// blocks: it succeeds or fails at once, with `EAGAIN` if the socket's queue is full.
enum DaemonSocket {
    /// The longest path in bytes: `sun_path` without the zero at its end.
    static var longestPath: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1 }

    /// The descriptor of a socket that is connected to the path.
    static func connect(to path: String) throws -> CInt {
        var address = sockaddr_un()
        guard path.utf8.count <= longestPath else { throw SocketAddressError.unixDomainSocketPathTooLong }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        let code = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
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
