import OperatorReplies
import TokenProtocol

/// One round through the subjects of a tenant's file: decides which subject is minted next, and when.
///
/// The subjects go in the order of the file. Those whose mint fails are tried again in later passes, so that a tenant
/// that is down for a while costs no subject its token.
struct PrefetchRound {
    /// The end of a mint of the round.
    enum End {
        /// The token is cached.
        case minted
        /// The tenant denies the user.
        case denied
        /// The user has logged out, so nobody wants the token.
        case loggedOut
        /// There is no token, for a reason that may pass.
        case failed
    }

    /// The passes of a round.
    ///
    /// A mint that fails three times is left to the next round.
    static let maxPasses = 3
    /// The longest pause before a round, which is random, so that daemons that start together don't call together.
    static let startSpread = Duration.seconds(2)
    /// The pause before another pass, half of which is random.
    static let pause = Duration.seconds(60)

    /// A number that no other round has.
    let number: UInt64
    /// The scopes of all mints.
    let scopes: ScopeSet
    let started: Instant
    private var subjects: [String]
    private var next = 0
    private var failed: [String] = []
    private var pass = 1
    /// The number of mints that are queued or under way.
    private(set) var underWay = 0
    /// The time before which no subject is taken.
    private(set) var notBefore: Instant
    private var counts = StatsReply.Tenant.Prefetch()

    /// Creates a round.
    ///
    /// - Parameter jitterFraction: A random number, evenly distributed from 0 up to 1.
    init(_ number: UInt64, _ subjects: [String], _ scopes: ScopeSet, jitterFraction: Double, now: Instant) {
        self.number = number
        self.subjects = subjects
        self.scopes = scopes
        started = now
        notBefore = now + Self.startSpread * jitterFraction
    }

    /// True if every subject has its result.
    var isOver: Bool { !hasNext && underWay == 0 && failed.isEmpty }

    /// True if subjects of this pass are left.
    private var hasNext: Bool { next < subjects.count }

    /// The results so far, and the number of subjects without one.
    var progress: StatsReply.Tenant.Prefetch {
        var progress = counts
        progress.left = subjects.count - next + underWay + failed.count
        return progress
    }

    /// The end of the pause, or nil if no pause delays a subject.
    func nextTime(_ now: Instant) -> Instant? { hasNext && notBefore > now ? notBefore : nil }

    /// True if a subject may be taken.
    ///
    /// - Parameter limit: The most mints that may be queued or under way.
    func canTake(limit: Int, now: Instant) -> Bool { hasNext && notBefore <= now && underWay < limit }

    /// Takes the next subject, or returns nil if none may be taken now.
    mutating func take(limit: Int, now: Instant) -> String? {
        guard canTake(limit: limit, now: now) else { return nil }
        defer { next += 1 }
        return subjects[next]
    }

    /// Records that the mint of the subject that was taken is queued.
    mutating func queued() { underWay += 1 }

    /// Records that the subject that was taken needs no mint.
    mutating func skipped(_ reason: WritableKeyPath<StatsReply.Tenant.Prefetch, Int>, _ fraction: Double, now: Instant)
    {
        counts[keyPath: reason] += 1
        endPass(fraction, now: now)
    }

    /// Records the end of a mint.
    ///
    /// - Parameter fraction: A random number, evenly distributed from 0 up to 1.
    mutating func ended(_ subject: String, _ end: End, _ fraction: Double, now: Instant) {
        underWay -= 1
        switch end {
        case .minted: counts.minted += 1
        case .denied: counts.denied += 1
        case .loggedOut: counts.failed += 1
        case .failed: failed.append(subject)
        }
        endPass(fraction, now: now)
    }

    /// Gives the rest of the subjects up, as there is no space for their tokens.
    mutating func giveUp() {
        counts.failed += subjects.count - next + failed.count
        (subjects, next, failed) = ([], 0, [])
    }

    /// Starts another pass after the last mint of this one, if any of them failed.
    private mutating func endPass(_ fraction: Double, now: Instant) {
        guard !hasNext, underWay == 0, !failed.isEmpty else { return }
        guard pass < Self.maxPasses else { return giveUp() }
        (subjects, next, failed) = (failed, 0, [])
        pass += 1
        notBefore = now + Self.pause * ((1 + fraction) / 2)
    }
}
