import Glibc

/// Binds a Unix socket that nobody can connect to before it has its mode and group, and that never takes the place of
/// another daemon's.
///
/// The socket is bound under a temporary name, given its mode and group, made to listen and only then renamed to its
/// path; a lock keeps two daemons that start together from both finding the path free.
package struct ListeningSocket: Sendable {
    /// The kernel's bound is `net.core.somaxconn`, 4,096 by default; asking for more changes nothing.
    static let backlog: CInt = 4_096

    /// The descriptor; whoever serves it owns it.
    package let descriptor: CInt
    /// Where it stands.
    package let path: String
    private let device: UInt
    private let inode: UInt

    /// Where and how to bind.
    package struct Place: Sendable, Equatable {
        /// The path.
        package var path: String
        /// The permissions, as in `chmod`.
        package var mode: UInt32
        /// The group's name or number; nil: the process's own.
        package var group: String?

        /// Names it.
        package init(path: String, mode: UInt32, group: String? = nil) {
            self.path = path
            self.mode = mode
            self.group = group
        }
    }

    /// The longest wait for the lock.
    ///
    /// Another daemon has it for a few calls of the kernel; where it takes longer something else is wrong, and a daemon
    /// that waited for ever would not say so.
    package static let patience = Duration.seconds(5)
    /// And at the end, where a name that is left does no harm: the next daemon sees that nobody answers there.
    private static let patienceAtEnd = Duration.milliseconds(100)

    /// Binds and listens.
    package static func bind(
        _ place: Place,
        patience: Duration = Self.patience
    ) throws(ListeningSocketError) -> ListeningSocket {
        guard UnixSocketAddress(place.path) != nil else { throw .pathTooLong(place.path) }
        let lock = try SocketLock(of: place.path, patience: patience)
        defer { lock.release() }
        try refuseLiving(place.path)
        let temporary = "\(place.path).\(getpid())"
        _ = unsafe unlink(temporary)
        let descriptor = try UnixSocketAddress.open(place.path)
        do throws(ListeningSocketError) {
            try prepare(descriptor, temporary, place)
            guard unsafe rename(temporary, place.path) == 0 else {
                throw .failed(place.path, "it can't be put there", errno)
            }
            return try ListeningSocket(descriptor, place.path)
        } catch {
            close(descriptor)
            _ = unsafe unlink(temporary)
            throw error
        }
    }

    /// Takes the socket's name away, unless another's stands there by now.
    package func removeName() {
        // Another daemon could put its socket there between the look and the removal.
        guard let lock = try? SocketLock(of: path, patience: Self.patienceAtEnd) else { return }
        defer { lock.release() }
        guard isThere else { return }
        _ = unsafe unlink(path)
    }

    /// The path of a socket that was bound by somebody else; nil: it has none in the file system.
    package static func path(of descriptor: CInt) -> String? { UnixSocketAddress.path(of: descriptor) }

    /// Whether any socket stands at a path.
    package static func isThere(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Whether its name still leads to it.
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
        _ place: Place
    ) throws(ListeningSocketError) {
        let group = try place.group.map { name throws(ListeningSocketError) in
            guard let group = Accounts.group(name).number else { throw .unknownGroup(name, path: place.path) }
            return group
        }
        // Nobody may connect between bind and chmod: the socket doesn't listen yet, and its name is only ours.
        guard bind(descriptor, at: temporary) else { throw .failed(place.path, "it can't be bound", errno) }
        if let group, unsafe chown(temporary, uid_t.max, group) != 0 {
            throw .failed(place.path, "its group can't be set to \(place.group ?? "")", errno)
        }
        guard unsafe chmod(temporary, place.mode) == 0 else {
            throw .failed(place.path, "its mode can't be set", errno)
        }
        guard Glibc.listen(descriptor, backlog) == 0 else { throw .failed(place.path, "it can't listen", errno) }
    }

    /// Binds under a name that may be longer than an address: then the folder is named by its descriptor.
    private static func bind(_ descriptor: CInt, at path: String) -> Bool {
        if let address = UnixSocketAddress(path) { return address.bind(descriptor) }
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let folder = unsafe open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return false }
        defer { close(folder) }
        return UnixSocketAddress("/proc/self/fd/\(folder)\(path[slash...])")?.bind(descriptor) ?? false
    }

    /// A path at which a daemon answers, or which is no socket, is left alone.
    private static func refuseLiving(_ path: String) throws(ListeningSocketError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
        guard let address = UnixSocketAddress(path) else { throw .pathTooLong(path) }
        let probe = try UnixSocketAddress.open(path)
        defer { close(probe) }
        guard !address.connect(probe), errno == ECONNREFUSED else { throw .inUse(path) }
    }
}
