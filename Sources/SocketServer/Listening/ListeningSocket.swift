import Glibc

/// A Unix socket that listens on a path.
///
/// Nobody can connect to it before it has its mode and group, and it never replaces the socket of a running daemon. It
/// is bound under a temporary name, given its mode and group, made to listen, and only then renamed to its path. A lock
/// keeps two daemons that start together from both finding the path free.
package struct ListeningSocket: Sendable {
    /// The length of the queue of connections.
    ///
    /// The kernel's limit is `net.core.somaxconn`, 4,096 by default.
    static let backlog: CInt = 4_096

    /// The descriptor, which belongs to the server of the socket.
    package let descriptor: CInt
    /// The path.
    package let path: String
    private let device: UInt
    private let inode: UInt

    /// The path of a socket, with its permissions.
    package struct Address: Sendable, Equatable {
        /// The path.
        package var path: String
        /// The permissions, as in `chmod`.
        package var mode: UInt32
        /// The group's name or number, or nil for the process's own.
        package var group: String?

        /// Creates an address.
        package init(path: String, mode: UInt32, group: String? = nil) {
            self.path = path
            self.mode = mode
            self.group = group
        }
    }

    /// The longest wait for the lock at the start.
    ///
    /// Another daemon holds it for a few system calls. If it takes longer, something else is wrong, and a daemon that
    /// waited for ever would not report it.
    package static let lockTimeout = Duration.seconds(5)
    /// The longest wait for the lock at the end.
    ///
    /// A name that is left does no harm: the next daemon sees that no daemon answers there.
    private static let lockTimeoutAtEnd = Duration.milliseconds(100)

    /// Binds a socket and makes it listen.
    package static func bind(
        _ address: Address,
        lockTimeout: Duration = Self.lockTimeout
    ) throws(ListeningSocketError) -> ListeningSocket {
        guard UnixSocketAddress(address.path) != nil else { throw .pathTooLong(address.path) }
        let lock = try SocketLock(of: address.path, timeout: lockTimeout)
        defer { lock.release() }
        try checkIsFree(address.path)
        let temporary = temporaryPath(address.path)
        _ = unsafe unlink(temporary)
        let descriptor = try UnixSocketAddress.open(address.path)
        do throws(ListeningSocketError) {
            try prepare(descriptor, temporary, address)
            guard unsafe rename(temporary, address.path) == 0 else {
                throw .failed(address.path, "it can't be put there", errno)
            }
            return try ListeningSocket(descriptor, address.path)
        } catch {
            close(descriptor)
            _ = unsafe unlink(temporary)
            throw error
        }
    }

    /// Removes the socket's name, unless another socket has it by now.
    package func removeName() {
        // The lock keeps another daemon from binding its socket between the check and the removal.
        guard let lock = try? SocketLock(of: path, timeout: Self.lockTimeoutAtEnd) else { return }
        defer { lock.release() }
        guard isThere else { return }
        _ = unsafe unlink(path)
    }

    /// The path of a socket that was bound by another process, or nil if it has none in the file system.
    package static func path(of descriptor: CInt) -> String? { UnixSocketAddress.path(of: descriptor) }

    /// True if there is a socket at a path.
    package static func isThere(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// True if the path still leads to this socket.
    package var isThere: Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_dev == device && status.st_ino == inode
    }

    private init(_ descriptor: CInt, _ path: String) throws(ListeningSocketError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw .failed(path, "it is not there", errno) }
        self.descriptor = descriptor
        self.path = path
        device = status.st_dev
        inode = status.st_ino
    }

    private static func prepare(
        _ descriptor: CInt,
        _ temporary: String,
        _ address: Address
    ) throws(ListeningSocketError) {
        let group = try address.group.map { name throws(ListeningSocketError) in
            guard let group = Accounts.group(name).number else { throw .unknownGroup(name, path: address.path) }
            return group
        }
        // Nobody can connect between bind and chmod, as the socket doesn't listen yet and only this process knows its
        // name.
        guard bind(descriptor, at: temporary) else { throw .failed(address.path, "it can't be bound", errno) }
        if let group, unsafe chown(temporary, uid_t.max, group) != 0 {
            throw .failed(address.path, "its group can't be set to \(address.group ?? "")", errno)
        }
        guard unsafe chmod(temporary, address.mode) == 0 else {
            throw .failed(address.path, "its mode can't be set", errno)
        }
        guard Glibc.listen(descriptor, backlog) == 0 else { throw .failed(address.path, "it can't listen", errno) }
    }

    /// The name under which a socket is bound before it has its mode and group.
    ///
    /// It is short, because a path that is too long for an address is written with the number of a descriptor, which has
    /// many digits in a daemon with thousands of connections.
    private static func temporaryPath(_ path: String) -> String {
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let name = String(decoding: path[slash...].utf8.prefix(maxTemporaryName), as: UTF8.self)
        return "\(path[..<slash])\(name).\(getpid())"
    }

    /// The bytes of a socket's name that are part of its temporary name.
    private static let maxTemporaryName = 40

    /// Binds to a path that may be too long for an address.
    ///
    /// Its directory is then named by a descriptor.
    private static func bind(_ descriptor: CInt, at path: String) -> Bool {
        if let address = UnixSocketAddress(path) { return address.bind(descriptor) }
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = unsafe open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return false }
        defer { close(directory) }
        return UnixSocketAddress("/proc/self/fd/\(directory)\(path[slash...])")?.bind(descriptor) ?? false
    }

    /// Throws if a daemon answers at a path, or if a file there is not a socket.
    private static func checkIsFree(_ path: String) throws(ListeningSocketError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
        guard let address = UnixSocketAddress(path) else { throw .pathTooLong(path) }
        let probe = try UnixSocketAddress.open(path)
        defer { close(probe) }
        guard !address.connect(probe), errno == ECONNREFUSED else { throw .inUse(path) }
    }
}
