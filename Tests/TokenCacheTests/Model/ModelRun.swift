import Secrets
import TestSupport
import TokenCache
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One random life of a cache: operations, a tenant that does what it likes, and a clock that jumps.
///
/// The model keeps its own, simpler account of what has happened and holds what the cache does against it.
struct ModelRun {
    /// What the cache did that it must not.
    struct Violation: Error, CustomStringConvertible {
        let rule: String
        let step: Int
        var description: String { "step \(step): \(rule)" }
    }

    /// A token as the model remembers it.
    struct Token {
        let key: TokenKey
        let generation: Int
        let expiry: Instant
        let margin: Duration
        let sent: Instant
        let lifetime: Duration
        var isRevoked = false
    }

    /// A call to the tenant that has not come back.
    struct Call {
        let key: TokenKey
        let generation: Int
        let identity: Int
        let sent: Instant
        /// Whether nobody was known to want it when it went.
        let isRefresh: Bool
    }

    /// Somebody who waits.
    struct Asker {
        let key: TokenKey
        let generation: Int
        let identity: Int
        let deadline: Instant
        let minTTL: Duration?
        let noCache: Bool
        let peer: PeerUID
        let since: Int
    }

    static let start = ContinuousClock.now
    static let wall = Date(timeIntervalSince1970: 1_795_000_000)

    var machine: CacheStateMachine
    var random: SeededRandom
    var now = Self.start
    var step = 0
    var policy = CachePolicy()
    var tenants: [String: ModelTenant] = [:]
    var tokens: [Fingerprint: Token] = [:]
    /// The token of each key that the cache should have, if it has room.
    var cached: [TokenKey: Fingerprint] = [:]
    var generations: [TokenKey: Int] = [:]
    var lastAsked: [TokenKey: Instant] = [:]
    var calls: [CallID: Call] = [:]
    var revocations: [CallID: String] = [:]
    var askers: [Waiter: Asker] = [:]
    var logouts: Set<Waiter> = []
    /// Calls that go once more, as the client has a new secret.
    var retried: [CallID: Call] = [:]
    /// Keys that somebody has asked for and that were not called for yet; whoever asked may be gone.
    var wanted: Set<TokenKey> = []
    /// Keys of which a mint of an older generation may still be queued: it can't be told from a newer one when it goes,
    /// so what depends on the generation isn't held against them any more.
    var murky: Set<TokenKey> = []
    /// Whose turn the queued mint of a key is; nil: several peers want it, so it may have moved.
    var owners: [TokenKey: PeerUID?] = [:]
    /// The last fault of a key's call, until something tells that the tenant is back.
    var faults: [TokenKey: Instant] = [:]
    private var lastTicket: UInt64 = 0
    private var lastToken = 0

    /// - Parameter seed: Whatever the run does follows from it.
    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        policy.idleTTL = random.pick([.seconds(5), .seconds(60), .seconds(1_800)])
        policy.negativeTTL = random.pick([.zero, .seconds(10), .seconds(60)])
        policy.maxEntries = random.pick([3, 100, 100, 100])
        policy.minTTL = random.pick([.seconds(1), .seconds(60)])
        for name in ["one", "two"] { tenants[name] = ModelTenant(&random, now: Self.start) }
        machine = CacheStateMachine(
            policy: policy,
            tenants: tenants.mapValues(\.policy),
            random: SeededRandom(seed: random.next()),
            now: Self.start
        )
        self.random = random
    }

    /// Whether the cache is so small that tokens go for want of room, which the model doesn't follow.
    var isCramped: Bool { policy.maxEntries < 100 }

    mutating func run(steps: Int) throws {
        for _ in 0..<steps {
            step += 1
            try act()
            try takeOrders()
            try checkWaits()
        }
    }

    func violated(_ rule: String) -> Violation { Violation(rule: rule, step: step) }

    mutating func newWaiter() -> Waiter {
        lastTicket += 1
        return Waiter(connection: lastTicket % 5, ticket: lastTicket)
    }

    mutating func newToken() -> AccessToken {
        lastToken += 1
        return AccessToken("token-\(lastToken)")
    }

    func generation(_ key: TokenKey) -> Int { generations[key, default: 0] }

    func identity(_ key: TokenKey) -> Int { tenants[key.user.tenant]?.identity ?? -1 }

    /// The token that the cache should have of a key, if it may be served and nothing is doubtful about it.
    func living(_ key: TokenKey) -> Token? {
        guard !isCramped, !murky.contains(key), let token = cached[key].flatMap({ tokens[$0] }),
            token.expiry - now > token.margin
        else { return nil }
        return token
    }

    /// Raises the generation of the keys for which something holds.
    ///
    /// - Parameter cancels: Whether mints that are queued end, whoever waits for them.
    mutating func raise(cancels: Bool = false, where isMeant: (TokenKey) -> Bool) {
        for key in Self.keys where isMeant(key) {
            let generation = generation(key)
            let isQueued = askers.values.contains { $0.key == key } || wanted.contains(key)
            let isSent = calls.values.contains { $0.key == key && $0.generation == generation }
            if isQueued, !isSent, !cancels { murky.insert(key) }
            generations[key, default: 0] += 1
            cached[key] = nil
            wanted.remove(key)
            owners[key] = nil
        }
    }

    /// Notes that a peer's request has planned a mint or joined one.
    mutating func noteWish(_ key: TokenKey, _ peer: PeerUID?) {
        if !wanted.contains(key) {
            owners[key] = .some(peer)
        } else if owners[key] != .some(peer) {
            owners[key] = .some(nil)
        }
        wanted.insert(key)
    }

    static let keys: [TokenKey] = ["one", "two"].flatMap { tenant in
        (0..<8).flatMap { user in
            ["a", "b"].map { TokenKey.of("user\(user)", tenant: tenant, scope: $0) }
        }
    }
}

/// A tenant as the model knows it: its limits, how it behaves now, and what it was promised.
struct ModelTenant {
    enum Mood: CaseIterable {
        case well
        case down
        case flapping
        case throttling
        case refusing
    }

    var policy: TenantPolicy
    var mood = Mood.well
    /// Another after a reload that changed host or client.
    var identity = 0
    var underWay = 0
    /// The model's own bucket.
    private(set) var level: Double
    private var filled: Instant
    /// No call before then.
    var heldUntil: Instant?
    var accepted: Set<TokenKey> = []
    /// The caller's call that went last, and what other peers had queued alone by then.
    var lastTurn: (peer: PeerUID, others: Set<Waiter>)?
    /// The key that was accepted last.
    var lastAccepted: TokenKey?
    /// The key whose call may go first though nobody wants it, to find out about the client.
    var probe: TokenKey?

    init(_ random: inout SeededRandom, now: Instant) {
        self.init(
            .test(
                rate: random.pick([6, 60, 600]),
                burst: random.pick([1, 5, 50]),
                concurrent: random.pick([1, 3, 8])
            ),
            now: now
        )
    }

    init(_ policy: TenantPolicy, now: Instant) {
        self.policy = policy
        level = Double(policy.burst)
        filled = now
    }

    mutating func fill(_ now: Instant) {
        level = min(Double(policy.burst), level + (now - filled).inSeconds * Double(policy.ratePerMinute) / 60)
        filled = now
    }

    /// Pays for a call; whether it could.
    mutating func pay(_ now: Instant) -> Bool {
        fill(now)
        level -= 1
        return level > -0.001
    }

    mutating func reconfigure(rate: Int, burst: Int, now: Instant) {
        fill(now)
        policy.ratePerMinute = rate
        policy.burst = burst
        level = min(level, Double(burst))
    }
}
