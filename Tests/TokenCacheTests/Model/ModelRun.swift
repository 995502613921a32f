import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One random run of a cache: operations, tenants with random behaviour, and a clock that jumps.
///
/// The model keeps its own, simpler account of everything: tokens, denied users, calls in their order, buckets, holds,
/// circuits, waiters. From it the model predicts each answer and checks each call that is sent. It looks into the cache
/// only for random numbers, for calls that have been queued, and to compare its tables with the account. Work in slices
/// may be late, but not when the cache is idle: when it doesn't ask to be called again at once.
final class ModelRun {
    /// A promise that the cache has broken.
    struct Violation: Error, CustomStringConvertible {
        let rule: String
        let step: Int
        var description: String { "step \(step): \(rule)" }
    }

    static let start = ContinuousClock.Instant.wholeMicrosecond
    static let wall = Date(timeIntervalSince1970: 1_795_000_000)
    static let users = 4
    static let scopes = ["a", "b"].compactMap { ScopeSet($0) }
    static let names = ["one", "two"]
    /// The names of the further clients that a tenant may have.
    static let clients = ["backend", "jobs"]
    static let peers: [PeerUID] = [1, 2, 3]
    /// The tolerance of times that are sums of fractions.
    static let tolerance = Duration.milliseconds(1)

    var machine: CacheStateMachine
    var random: SeededRandom
    let sliceSize: Int
    /// The time, in whole nanoseconds like the system's clock, in which the cache counts.
    var now = ModelRun.start {
        didSet { now = Self.wholeNanoseconds(now) }
    }
    var step = 0
    var policy: CachePolicy
    var registry: TenantRegistry
    /// All tenants since the daemon's start, including removed ones.
    var tenants: [ModelTenant] { didSet { noteKeys() } }
    /// All keys that the cache may know.
    private(set) var keys: [ModelKey] = []
    /// The keys of earlier daemons.
    var graveyard: [ModelTenant] = []
    /// The calls that have not ended.
    var calls: [ModelCall] = []
    /// Calls that the model has queued and not yet found in the cache.
    var unconfirmed: [ModelCall] = []
    /// Probes that the cache has queued for a cause that the model has not reached yet.
    var strays: [Call] = []
    /// The highest call number that has been checked.
    var seen: UInt64 = 0
    var waiters: [Waiter: ModelWaiter] = [:]
    var tokens: [Fingerprint: ModelToken] = [:]
    /// Revocations by token, until their record is in the audit trail.
    var revocations: [Fingerprint: ModelCall] = [:]
    /// Tokens that a flush or a reload has dropped and that may still be in the store of the next daemon.
    var unswept: [ModelToken] = []
    /// True if negative entries have changed in the current event.
    var hasChangedNegatives = false
    /// True if the cache had nothing left to do when the event began.
    var wasIdle = true
    /// The actions of the current event that are left to check.
    var event = CacheActions()
    /// The time at which the cache asks to be called.
    var wake: Instant?
    /// The expected counters.
    var counters = ModelCounters()
    var uses = 0
    /// The number of mints that were retried with a new secret.
    var sentOnceMore = 0
    /// True at the end of the run, when new tokens live long enough to be of use.
    var isResting = false
    /// The file of the daemon's tokens, which the next daemon has if it is kept.
    var kept: KeptTokens
    /// True if the operations are printed.
    let isTraced: Bool
    /// The number of times that each situation was checked.
    var tally = ModelTally()
    private var lastTicket: UInt64 = 0
    private var lastToken = 0

    /// Creates a run.
    ///
    /// - Parameter seed: The seed, from which everything in the run follows.
    init(seed: UInt64, isTraced: Bool) throws {
        self.isTraced = isTraced
        var random = SeededRandom(seed: seed)
        var policy = CachePolicy()
        Self.vary(&policy, &random)
        var registry = TenantRegistry()
        var limits: [String: TenantPolicy] = [:]
        for name in Self.names { limits[name] = Self.limits(of: name, number: 0, &random) }
        let identities = registry.identify(limits.mapValues(\.identity))
        tenants = Self.names.compactMap { name in
            guard let id = identities[name], let limits = limits[name] else { return nil }
            return ModelTenant(id, limits, now: Self.start)
        }
        sliceSize = random.pick([3, 4, 8, 256, 256])
        kept = try KeptTokens()
        kept.isKept = false
        machine = CacheStateMachine(
            policy: policy,
            tenants: Dictionary(uniqueKeysWithValues: tenants.map { ($0.id, $0.limits) }),
            memory: try kept.memory(),
            random: SeededRandom(seed: random.next()),
            sliceSize: sliceSize,
            now: Self.start
        )
        (self.policy, self.registry, self.random) = (policy, registry, random)
        noteKeys()
    }

    /// Updates the keys after the tenants have changed.
    func noteKeys() { keys = configured.flatMap(\.keys) }

    static func peer(_ uid: PeerUID) -> Peer { Peer(uid: uid, gid: 0) }

    static func vary(_ policy: inout CachePolicy, _ random: inout SeededRandom) {
        policy.idleTTL = random.pick([.seconds(5), .seconds(60), .seconds(1_800)])
        policy.negativeTTL = random.pick([.zero, .seconds(10), .seconds(60)])
        policy.maxEntries = random.pick([3, 6, 100, 100, 100])
        policy.minTTL = random.pick([.seconds(1), .seconds(60)])
        (policy.ahead, policy.refreshDeadline) = random.pick([(0.7, 0.9), (0.7, 0.9), (0.5, 0.8), (0.2, 0.6)])
        policy.jitter = random.pick([0, 0.1, 0.1])
        policy.defaultLifetime = random.pick([.seconds(60), .seconds(300)])
    }

    static func limits(of name: String, number: Int, _ random: inout SeededRandom) -> TenantPolicy {
        var limits = TenantPolicy.test(
            host: "https://\(name)\(number).example",
            rate: random.pick([6, 60, 60, 600]),
            burst: random.pick([1, 5, 50]),
            concurrent: random.pick([1, 3, 8])
        )
        for client in clients where random.below(5) > 0 {
            let id = "\(client)-\(random.pick([0, 0, 0, 1]))"
            limits.clients[client] = ClientPolicy(clientID: id, scopes: random.pick([nil, scopes.first]))
        }
        return limits
    }

    /// Does a number of operations, and then lets everything end.
    func run(steps: Int) throws {
        kept.isKept = random.once(in: 2)
        for _ in 0..<steps {
            step += 1
            try act()
            if random.below(4) > 0 { try finishSlices() }
            if isIdle { try checkWhenIdle() }
            if isIdle, step.isMultiple(of: 50) { try recount() }
        }
        try finishRun()
    }

    func violated(_ rule: String) -> Violation { Violation(rule: rule, step: step) }

    /// Prints an operation of a run that is replayed.
    func trace(_ text: @autoclosure () -> String) {
        if isTraced { print("\(step) \((now - Self.start).inSeconds): \(text())") }
    }

    // MARK: Names

    func newWaiter() -> Waiter {
        lastTicket += 1
        return Waiter(connection: lastTicket % 5, ticket: lastTicket)
    }

    func newToken() -> AccessToken {
        lastToken += 1
        return AccessToken("token-\(lastToken)")
    }

    func newUse() -> Int {
        uses += 1
        return uses
    }

    // MARK: What there is

    /// The configured tenants.
    var configured: [ModelTenant] { tenants.filter { !$0.isRetired } }

    /// The keys that have a token.
    var entries: [ModelKey] { keys.filter { $0.entry != nil } }

    /// The number of keys that have a token.
    ///
    /// It is counted after each event, and a loop costs less than a closure without optimisation.
    var entryCount: Int {
        var count = 0
        for key in keys where key.entry != nil { count += 1 }
        return count
    }

    func key(_ key: TokenKey) -> ModelKey? {
        tenants.first { $0.id == key.user.tenant }?.keys.first { $0.key == key }
    }

    func call(_ id: CallID) -> ModelCall? { calls.first { $0.id == id } }

    // MARK: Time

    /// Returns a time, rounded up to whole nanoseconds.
    private static func wholeNanoseconds(_ time: Instant) -> Instant { start + (time - start).roundedUpToNanoseconds }

    /// True if the cache has done everything that it has to do now.
    var isIdle: Bool {
        guard let wake else { return true }
        return wake > now
    }

    /// Lets the cache finish its work in slices.
    func finishSlices() throws {
        for round in 0... {
            if isIdle { return round > 0 ? try checkWhenIdle() : () }
            guard round < 1_000 else { throw violated("the cache asks to be called at once again and again") }
            try letTimePass()
        }
    }

    func letTimePass() throws {
        tally.note(isIdle || wake == now ? .wokenAtItsTime : .slicesOfTime)
        begin(machine.timePassed(now: now))
        trace("time has passed")
        try finish()
        try judgeDeadlines()
    }

    /// Moves the clock.
    ///
    /// Timers on the way go off at their time.
    func passTime(_ length: Duration) throws {
        let end = Self.wholeNanoseconds(now + length)
        for round in 0... {
            guard let wake, wake <= end else { break }
            guard round < 20_000 else { throw violated("the cache asks to be woken again and again") }
            now = max(now, wake)
            try letTimePass()
            if isIdle { try checkWhenIdle() }
        }
        now = end
        try checkWhenIdle()
    }
}
