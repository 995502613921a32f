import Glibc

/// Keeps other daemons out of a socket's folder while its name is looked at and changed.
struct FolderLock {
    /// Between two attempts, in microseconds.
    private static let pause: UInt32 = 10_000

    private let descriptor: CInt

    /// Locks the folder that a path is in.
    ///
    /// - Parameter patience: How long to wait for whoever has it.
    init(of path: String, patience: Duration) throws(ListeningSocketError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        descriptor = unsafe open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .failed(path, "its folder can't be opened", errno) }
        let end = ContinuousClock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK || code == EINTR, ContinuousClock.now < end else {
                close(descriptor)
                throw .failed(path, "its folder can't be locked", code)
            }
            usleep(Self.pause)
        }
    }

    /// Lets others in.
    func release() { close(descriptor) }
}
