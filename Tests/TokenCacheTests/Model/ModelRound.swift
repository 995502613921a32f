import OperatorReplies
import TokenProtocol

@testable import TokenCache

/// A round through a tenant's prefetch file in the model: how often each subject may be minted, and what has ended.
final class ModelRound {
    /// The passes of a round, in each of which a subject is minted at most once for each of its lines.
    private static let passes = 3
    /// The longest pause before the first mint.
    private static let startSpread = Duration.seconds(2)

    let scopes: ScopeSet
    let started: Instant
    private let lines: Int
    /// The number of mints that each subject may still get.
    private var allowed: [String: Int] = [:]
    private(set) var firstMint: Instant?
    private var minted = 0
    private var denied = 0
    /// The number of its mints that are queued or under way.
    var underWay = 0

    init(_ subjects: [String], _ scopes: ScopeSet, now: Instant) {
        self.scopes = scopes
        started = now
        lines = subjects.count
        for subject in subjects { allowed[subject, default: 0] += Self.passes }
    }

    /// Notes a mint, or returns the rule that it breaks.
    func mint(_ key: TokenKey, now: Instant) -> String? {
        let subject = String(decoding: key.user.user.value, as: UTF8.self)
        guard key.scopes == scopes, key.user.user.field == .subject, let left = allowed[subject], left > 0 else {
            return "a round minted what is not in its file, or more often than its passes allow"
        }
        allowed[subject] = left - 1
        firstMint = firstMint ?? now
        underWay += 1
        return nil
    }

    /// Notes the end of a mint that was sent.
    func ended(_ outcome: MintOutcome, isCurrent: Bool) {
        switch outcome {
        case .minted: if isCurrent { minted += 1 }
        case .failed(.denied): denied += 1
        case .failed: break
        }
    }

    /// Checks the results of the round when it is over, and returns the rule that they break.
    func objection(to results: StatsReply.Tenant.Prefetch, after time: Duration, now: Instant) -> String? {
        if underWay > 0 { return "a round is over while its mints are not" }
        if results.left != 0 { return "a round is over before all of its subjects have a result" }
        if time != now - started { return "a round took another time than was told" }
        let sum = results.minted + results.cached + results.denied + results.failed
        if sum != lines { return "a round has \(sum) results for \(lines) subjects" }
        if results.minted != minted { return "a round counts \(results.minted) minted tokens, not \(minted)" }
        // Users whose denial was remembered before count, too.
        return results.denied < denied ? "a round counts \(results.denied) denied users, not \(denied)" : nil
    }
}
