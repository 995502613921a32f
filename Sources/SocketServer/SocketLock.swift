import Glibc

/// Keeps other daemons away from a socket's name while it is looked at and changed.
///
/// The lock is a file beside the socket that nobody but the daemon's own user and root can open: a folder, which is locked
/// by whoever can read it, would let any peer keep the daemon from starting. It is there only while it is held.
struct SocketLock {
    /// Between two attempts, in microseconds.
    private static let pause: UInt32 = 10_000
    /// Not even readable: a process of the same user can't open it through a mount that is read-only.
    private static let mode: mode_t = 0o200

    private let path: String
    private let descriptor: CInt

    /// Locks a socket's name.
    ///
    /// - Parameters:
    ///   - socket: The socket's path.
    ///   - patience: How long to wait for whoever has it.
    init(of socket: String, patience: Duration) throws(ListeningSocketError) {
        path = socket + ".lock"
        let end = ContinuousClock.now + patience
        while true {
            let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
            let descriptor = unsafe open(path, flags, Self.mode)
            guard descriptor >= 0 else { throw .failed(socket, "its lock \(path) can't be opened", errno) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                if Self.isStill(descriptor, at: path) {
                    self.descriptor = descriptor
                    return
                }
                // Its last holder has taken it away meanwhile: another file is the lock now.
                close(descriptor)
                continue
            }
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK || code == EINTR, ContinuousClock.now < end else {
                throw .failed(socket, "another process holds its lock \(path)", code)
            }
            usleep(Self.pause)
        }
    }

    /// Lets others in.
    func release() {
        _ = unsafe unlink(path)
        close(descriptor)
    }

    private static func isStill(_ descriptor: CInt, at path: String) -> Bool {
        var (held, present) = (stat(), stat())
        return unsafe fstat(descriptor, &held) == 0 && lstat(path, &present) == 0 && held.st_dev == present.st_dev
            && held.st_ino == present.st_ino
    }
}
