import NIOCore

#if canImport(Glibc)
import Glibc
#endif

/// The attempts to reach the daemon: what the last one ended with, and how long to wait before the next.
struct Attempts {
    /// The shortest and the longest wait before connecting again, in milliseconds: a restart takes some tenths of a
    /// second.
    private static let shortestPause = 10.0
    private static let longestPause = 500.0
    /// No daemon is there: one that restarts, or none at all.
    private static let absent = [ENOENT, ECONNREFUSED]
    /// The errors of a daemon that is busy or about to end; another attempt won't mend any other.
    private static let passing = [ECONNRESET, ECONNABORTED, EPIPE, EAGAIN, EINTR]

    /// The pause where an attempt failed that needn't be made again soon.
    static let longPause = TimeAmount.milliseconds(Int64(longestPause))

    /// Whether no attempt is worth while, because there can't be such a socket.
    let isHopeless: Bool
    private let path: String
    private let restartGrace: TimeAmount
    private var failures = 0
    /// The time of the first attempt that failed since a daemon was there.
    private var absentSince: NIODeadline?
    private var trouble: String

    /// - Parameters:
    ///   - path: The socket's.
    ///   - restartGrace: For how long a daemon that isn't there is waited for.
    init(path: String, restartGrace: TimeAmount) {
        self.path = path
        self.restartGrace = restartGrace
        let trouble = Self.trouble(with: path)
        isHopeless = trouble != nil
        self.trouble = trouble ?? "the connection was lost"
    }

    /// The daemon has accepted a connection.
    mutating func connected() { absentSince = nil }

    /// The daemon has answered something.
    mutating func answered() { failures = 0 }

    /// The daemon closed the connection: the pause before the next attempt.
    mutating func disconnected() -> TimeAmount {
        trouble = "the daemon closed the connection"
        return pause()
    }

    /// No connection could be made: the pause before the next attempt; nil where those who wait are to be told so.
    mutating func failed(_ error: any Error, at now: NIODeadline) -> TimeAmount? {
        let code = (error as? IOError)?.errnoCode
        switch code {
        case ENOENT: trouble = "there is no socket"
        case ECONNREFUSED: trouble = "nobody listens there"
        case EACCES: trouble = "this user may not use it"
        case EAGAIN: trouble = "too many wait there already"
        case EMFILE, ENFILE: trouble = "too many files are open"
        default: trouble = "the connection could not be made"
        }
        guard let code else { return nil }
        guard Self.absent.contains(code) else { return Self.passing.contains(code) ? pause() : nil }
        let since = absentSince ?? now
        absentSince = since
        let left = restartGrace - (now - since)
        // The last attempt is made when the grace ends.
        return left > .zero ? min(pause(), left) : nil
    }

    /// The error of those who need the daemon.
    func unreachable() -> TokenCacheError {
        TokenCacheError(.unreachable, "no daemon could be reached at \(path): \(trouble)")
    }

    private mutating func pause() -> TimeAmount {
        let longest = min(Self.longestPause, Self.shortestPause * Double(1 << failures))
        // Past this the pause is the longest anyway.
        failures = min(failures + 1, 10)
        return .microseconds(Int64(.random(in: longest / 2...longest) * 1_000))
    }

    private static func trouble(with path: String) -> String? {
        if path.isEmpty { return "the path is empty" }
        if path.utf8.contains(0) { return "the path has a NUL in it" }
        guard path.utf8.count > DaemonConnection.longestPath else { return nil }
        return "the path is too long; the kernel allows \(DaemonConnection.longestPath) bytes"
    }
}
