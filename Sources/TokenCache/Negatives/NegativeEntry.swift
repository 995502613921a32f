import TokenProtocol

/// A negative entry: the tenant denies the user, a mint has just failed, or the token was reported.
///
/// It is kept per key, beside the token.
struct NegativeEntry {
    /// The time for which a report is remembered if no mint follows.
    static let reportRetention = Duration.seconds(600)

    /// The tenant's denial of a user.
    struct Denial {
        var until: Instant
        var length: Duration
        var upstream: ErrorReply.Upstream
    }

    /// A failure that is remembered for a moment, so that the next callers don't all call at once.
    struct RecentFailure {
        var until: Instant
        var error: ErrorReply
    }

    /// A report that an API has rejected the key's token.
    enum Report {
        /// The next mint is still to be charged to somebody's allowance of forced mints.
        case unpaid
        /// It was charged.
        ///
        /// Another try costs nothing.
        case paid
    }

    var denial: Denial?
    var recentFailure: RecentFailure?
    var report: Report?
    /// The fence of the reported token, which a new one must be above.
    var reportedFence = FleetFence.none
    /// The time from which on the entry is of no use.
    var forgetAt: Instant

    init(now: Instant) { forgetAt = now }

    /// Records a failure.
    mutating func fail(_ error: ErrorReply, until: Instant) {
        recentFailure = RecentFailure(until: until, error: error)
        remember(until: until)
    }

    /// Records that the key's token was reported as rejected.
    ///
    /// - Parameter fence: The fence of that token.
    mutating func noteReport(of fence: FleetFence = .none, now: Instant) {
        report = .unpaid
        reportedFence = fence
        remember(until: now + Self.reportRetention)
    }

    /// Returns the error for a request that needs a mint, or nil if it may go on.
    func error(at now: Instant) -> ErrorReply? {
        if let denial, denial.until > now {
            return .denied(denial.upstream, retryAfter: denial.until - now)
        }
        guard let recentFailure, recentFailure.until > now else { return nil }
        var error = recentFailure.error
        error.retryAfter = max(error.retryAfter ?? 0, (recentFailure.until - now).asRetryAfter)
        return error
    }

    /// Keeps the entry at least until a time.
    mutating func remember(until: Instant) { forgetAt = max(forgetAt, until) }
}
