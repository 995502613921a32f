import Glibc

/// A lock that keeps other daemons from changing a socket's name while it is checked and changed.
///
/// The lock is a file beside the socket that only the daemon's own user and root can open. A lock of the directory
/// could be held by every peer that can read it, which would keep the daemon from starting. The file exists only while
/// it is locked.
struct SocketLock {
    /// The time between two attempts, in microseconds.
    private static let retryInterval: UInt32 = 10_000
    /// Not even readable, so that a process of the same user can't open it through a read-only mount.
    private static let mode: mode_t = 0o200

    private let path: String
    private let descriptor: CInt

    /// Locks a socket's name.
    ///
    /// - Parameters:
    ///   - socket: The socket's path.
    ///   - timeout: The longest wait for another process that holds the lock.
    init(of socket: String, timeout: Duration) throws(ListeningSocketError) {
        path = socket + ".lock"
        let end = ContinuousClock.now + timeout
        while true {
            let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
            let descriptor = unsafe open(path, flags, Self.mode)
            guard descriptor >= 0 else { throw .failed(socket, "its lock \(path) can't be opened", errno) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                if Self.isStill(descriptor, at: path) {
                    self.descriptor = descriptor
                    return
                }
                // The last holder has removed the file meanwhile, so another file is the lock now.
                close(descriptor)
                continue
            }
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK || code == EINTR, ContinuousClock.now < end else {
                throw .failed(socket, "another process holds its lock \(path)", code)
            }
            usleep(Self.retryInterval)
        }
    }

    /// Removes the file, and with it the lock.
    func release() {
        _ = unsafe unlink(path)
        close(descriptor)
    }

    /// True if a file still has its path.
    private static func isStill(_ descriptor: CInt, at path: String) -> Bool {
        var (held, present) = (stat(), stat())
        return unsafe fstat(descriptor, &held) == 0 && lstat(path, &present) == 0 && held.st_dev == present.st_dev
            && held.st_ino == present.st_ino
    }
}
