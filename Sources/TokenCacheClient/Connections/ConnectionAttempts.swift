import NIOCore

#if canImport(Glibc)
import Glibc
#endif

/// Decides when to connect again, and when to stop waiting for a daemon that isn't there.
struct ConnectionAttempts {
    /// The shortest and the longest backoff in milliseconds.
    ///
    /// A restart of the daemon takes some tenths of a second.
    private static let shortestBackoff = 10.0
    private static let longestBackoff = 500.0
    /// The errors of a daemon that is restarting, or that isn't there at all.
    private static let absenceErrors = [ENOENT, ECONNREFUSED]
    /// The errors of a daemon that is busy or shutting down.
    ///
    /// Another attempt doesn't fix any other error.
    private static let transientErrors = [ECONNRESET, ECONNABORTED, EPIPE, EAGAIN, EINTR]

    /// The delay after a failed attempt that is not urgent to repeat.
    static let longestDelay = TimeAmount.milliseconds(Int64(longestBackoff))

    /// True if the path can't be a socket's, so that no attempt is made.
    let isPathInvalid: Bool
    private let path: String
    private let restartGrace: TimeAmount
    private var failures = 0
    /// The time of the first failed attempt since a daemon was last there.
    private var absentSince: NIODeadline?
    private var lastFailure: String
    private var lastError: (any Error)?

    /// - Parameters:
    ///   - path: The socket's path.
    ///   - restartGrace: The time for which calls wait for a daemon that isn't there.
    init(path: String, restartGrace: TimeAmount) {
        self.path = path
        self.restartGrace = restartGrace
        let fault = Self.fault(of: path)
        isPathInvalid = fault != nil
        lastFailure = fault ?? "the connection was lost"
    }

    /// Records that the daemon has accepted a connection.
    mutating func connected() { absentSince = nil }

    /// Records that the daemon has answered a request.
    mutating func answered() { failures = 0 }

    /// Records that the daemon has closed a connection.
    ///
    /// The result is the delay before the next attempt.
    mutating func disconnected() -> TimeAmount {
        lastFailure = "the daemon closed the connection"
        lastError = nil
        return backoff()
    }

    /// Records a failed attempt.
    ///
    /// The result is the delay before the next one, or nil if the waiting calls should fail.
    mutating func failed(_ error: any Error, at now: NIODeadline) -> TimeAmount? {
        let code = (error as? IOError)?.errnoCode
        lastFailure = Self.description(of: code)
        lastError = error
        guard let code else { return nil }
        guard Self.absenceErrors.contains(code) else { return Self.transientErrors.contains(code) ? backoff() : nil }
        let since = absentSince ?? now
        absentSince = since
        let left = restartGrace - (now - since)
        // The last attempt is made when the grace period ends.
        return left > .zero ? min(backoff(), left) : nil
    }

    /// The error for callers that need a daemon.
    func unreachable() -> TokenCacheError {
        TokenCacheError(.unreachable, "no daemon could be reached at \(path): \(lastFailure)", cause: lastError)
    }

    private mutating func backoff() -> TimeAmount {
        let longest = min(Self.longestBackoff, Self.shortestBackoff * Double(1 << failures))
        // With 10 failures the backoff has reached its maximum.
        failures = min(failures + 1, 10)
        return .microseconds(Int64(.random(in: longest / 2...longest) * 1_000))
    }

    private static func description(of code: CInt?) -> String {
        switch code {
        case ENOENT: "there is no socket"
        case ECONNREFUSED: "nobody listens there"
        case EACCES: "this user may not use it"
        case EAGAIN: "the queue of the socket is full"
        case EMFILE, ENFILE: "too many files are open"
        default: "the connection could not be made"
        }
    }

    private static func fault(of path: String) -> String? {
        if path.isEmpty { return "the path is empty" }
        if path.utf8.contains(0) { return "the path has a NUL in it" }
        guard path.utf8.count > DaemonSocket.longestPath else { return nil }
        return "the path is too long; the kernel allows \(DaemonSocket.longestPath) bytes"
    }
}
