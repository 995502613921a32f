import Glibc

/// Connects to Unix sockets without waiting.
package enum UnixConnection {
    /// The number of the error with which connecting failed.
    package struct Fault: Error, Equatable {
        package let code: CInt

        package init(code: CInt) { self.code = code }
    }

    /// Returns the descriptor of a socket that is connected to a path, and that never blocks.
    package static func open(_ path: String) throws(Fault) -> CInt {
        guard let address = UnixSocketAddress(path) else { throw Fault(code: ENAMETOOLONG) }
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw Fault(code: errno) }
        guard address.connect(descriptor) else {
            let code = errno
            close(descriptor)
            throw Fault(code: code)
        }
        return descriptor
    }
}
