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
    /// What a daemon that starts, restarts or is busy causes; anything else another attempt won't mend.
    private static let passing = [ENOENT, ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE, EAGAIN, EINTR]

    private let path: String
    private var failures = 0
    private var trouble = "the connection was lost"

    init(path: String) { self.path = path }

    /// The daemon has answered something.
    mutating func answered() { failures = 0 }

    /// The daemon closed the connection: the pause before the next attempt.
    mutating func disconnected() -> TimeAmount {
        trouble = "the daemon closed the connection"
        return pause()
    }

    /// No connection could be made: the pause before the next attempt; nil where another won't help.
    mutating func failed(_ error: any Error) -> TimeAmount? {
        if case .unixDomainSocketPathTooLong? = error as? SocketAddressError {
            trouble = "the path is too long; the kernel allows \(DaemonConnection.longestPath) bytes"
            return nil
        }
        let code = (error as? IOError)?.errnoCode
        switch code {
        case ENOENT: trouble = "there is no socket"
        case ECONNREFUSED: trouble = "nobody listens there"
        case EACCES: trouble = "this user may not use it"
        case EAGAIN: trouble = "too many wait there already"
        case EMFILE, ENFILE: trouble = "too many files are open"
        default: trouble = "the connection could not be made"
        }
        guard let code, Self.passing.contains(code) else { return nil }
        return pause()
    }

    /// The error of those who need the daemon.
    func unreachable() -> TokenCacheError {
        TokenCacheError(.unreachable, "no daemon can be reached at \(path): \(trouble)")
    }

    private mutating func pause() -> TimeAmount {
        let longest = min(Self.longestPause, Self.shortestPause * Double(1 << failures))
        // Past this the pause is the longest anyway.
        failures = min(failures + 1, 10)
        return .microseconds(Int64(.random(in: longest / 2...longest) * 1_000))
    }
}
