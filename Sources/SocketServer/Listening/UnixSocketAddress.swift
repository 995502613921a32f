import Glibc

/// The address of a Unix socket, in the form of the system calls.
struct UnixSocketAddress {
    /// The longest path in bytes: `sun_path` without the zero at its end.
    static var longestPath: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1 }

    private var address = sockaddr_un()

    /// Creates the address of a path.
    ///
    /// Returns nil if the path is too long.
    init?(_ path: String) {
        guard path.utf8.count <= Self.longestPath else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    }

    /// The path that a socket is bound to, or nil if it is bound to none, or to an abstract name.
    static func path(of descriptor: CInt) -> String? {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        guard code == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
        let path = unsafe withUnsafeBytes(of: address.sun_path) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return path.hasPrefix("/") ? path : nil
    }

    /// Opens a socket that is not bound.
    ///
    /// - Parameter path: The path that an error names.
    static func open(_ path: String) throws(ListeningSocketError) -> CInt {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw .failed(path, "no socket can be opened", errno) }
        return descriptor
    }

    func bind(_ descriptor: CInt) -> Bool {
        unsafe withAddress { unsafe Glibc.bind(descriptor, $0, $1) == 0 }
    }

    func connect(_ descriptor: CInt) -> Bool {
        unsafe withAddress { unsafe Glibc.connect(descriptor, $0, $1) == 0 }
    }

    private func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
