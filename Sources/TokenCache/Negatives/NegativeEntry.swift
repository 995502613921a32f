import TokenProtocol

/// What is remembered of a key besides a token: that the tenant refuses the user, that a mint has just failed, that its
/// token was reported.
struct NegativeEntry {
    /// A refusal never grows past this: a user who was let in again waits no longer.
    static let longestRefusal = Duration.seconds(300)
    /// A refusal that is over is remembered for so long yet, to know whether the next one goes on from it.
    static let refusalLinger = Duration.seconds(300)
    /// A report is remembered until the next mint, or for so long if nobody asks for one.
    static let reportLinger = Duration.seconds(600)

    /// A tenant's refusal of a user.
    struct Refusal {
        var until: Instant
        var length: Duration
        var upstream: ErrorReply.Upstream
    }

    /// A failure that stands for a moment, so that those who come next don't all call at once.
    struct RecentFailure {
        var until: Instant
        var error: ErrorReply
    }

    /// A report that the key's token was refused by an API.
    enum Report {
        /// The mint that follows is still to be paid from somebody's allowance of forced ones.
        case unpaid
        /// It was paid: trying again costs nothing more.
        case paid
    }

    var refusal: Refusal?
    var recentFailure: RecentFailure?
    var report: Report?
    /// When nothing of this is needed any more.
    var forgetAt: Instant

    init(now: Instant) { forgetAt = now }

    /// Notes a refusal; one that follows another doubles it.
    mutating func refuse(_ upstream: ErrorReply.Upstream, first length: Duration, now: Instant) {
        let length = refusal.map { min($0.length * 2, Self.longestRefusal) } ?? length
        refusal = Refusal(until: now + length, length: length, upstream: upstream)
        remember(until: now + length + Self.refusalLinger)
    }

    /// Notes a failure.
    mutating func fail(_ error: ErrorReply, until: Instant) {
        recentFailure = RecentFailure(until: until, error: error)
        remember(until: until)
    }

    /// Notes that the key's token was reported as refused.
    mutating func noteReport(now: Instant) {
        report = .unpaid
        remember(until: now + Self.reportLinger)
    }

    /// What a request that needs a mint is answered instead; nil: it may go on.
    func error(at now: Instant) -> ErrorReply? {
        if let refusal, refusal.until > now {
            return .denied(refusal.upstream, retryAfter: refusal.until - now)
        }
        guard let recentFailure, recentFailure.until > now else { return nil }
        var error = recentFailure.error
        error.retryAfter = max(error.retryAfter ?? 0, (recentFailure.until - now).asRetryAfter)
        return error
    }

    private mutating func remember(until: Instant) { forgetAt = max(forgetAt, until) }
}
