import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One random life of a cache: operations, tenants that do what they like, and a clock that jumps.
///
/// The model keeps its own, simpler account of everything: tokens, users who were refused, calls in the order in which
/// they go, buckets, holds, circuits, those who wait. From it the model foresees each answer and judges each call that
/// goes. It looks into the cache only for what is drawn at random there, for which calls have been planned, and for
/// whether its tables agree with the account. What is done in slices may be late, but not once the cache is settled:
/// when it doesn't ask to be called again at once.
final class ModelRun {
    /// A promise that the cache has broken.
    struct Violation: Error, CustomStringConvertible {
        let rule: String
        let step: Int
        var description: String { "step \(step): \(rule)" }
    }

    static let start = ContinuousClock.now
    static let wall = Date(timeIntervalSince1970: 1_795_000_000)
    static let users = 4
    static let scopes = ["a", "b"].compactMap { ScopeSet($0) }
    static let names = ["one", "two"]
    static let peers: [PeerUID] = [1, 2, 3]
    /// Times that differ by less are the same: they come of sums of fractions.
    static let tolerance = Duration.milliseconds(1)

    var machine: CacheStateMachine
    var random: SeededRandom
    let sliceSize: Int
    var now = ModelRun.start
    var step = 0
    var policy: CachePolicy
    var roster: TenantRoster
    /// All tenants that there have been since the daemon's start, those that are gone, too.
    var tenants: [ModelTenant] { didSet { noteKeys() } }
    /// All keys that the cache may know something of.
    private(set) var keys: [ModelKey] = []
    /// Those of earlier daemons.
    var graveyard: [ModelTenant] = []
    /// The calls that have not ended.
    var calls: [ModelCall] = []
    /// Calls that the model has planned and not yet seen in the cache.
    var unseen: [ModelCall] = []
    /// Probes that the cache has planned for a cause that the model has not come to yet.
    var strays: [Call] = []
    /// Up to here the numbers of calls have been seen.
    var seen: UInt64 = 0
    var waiters: [Waiter: ModelWaiter] = [:]
    var tokens: [Fingerprint: ModelToken] = [:]
    /// Revocations by token, until their record is in the audit trail.
    var revocations: [Fingerprint: ModelCall] = [:]
    /// Tokens that a flush or a reload has dropped and that may not have left the store of the next daemon yet.
    var unswept: [ModelToken] = []
    /// Whether what is remembered of refused users has changed in the event that is being judged.
    var hasChangedNegatives = false
    /// Whether the cache had nothing left to do when the event began.
    var wasSettled = true
    /// The actions of the event that is being judged, as far as they are not accounted for.
    var event = CacheActions()
    /// The time at which the cache wants to be called.
    var wake: Instant?
    /// The counters as they must be.
    var counters = ModelCounters()
    var uses = 0
    /// The number of mints that were sent a second time with a new secret.
    var sentOnceMore = 0
    /// Whether the life is at its end: tokens that come now live long enough to be of use.
    var isResting = false
    /// The store of the next daemon; nil: nothing is persisted.
    var store: ModelStore?
    /// Whether what happens is printed.
    let isTraced: Bool
    /// The number of times that each situation was judged.
    var tally = ModelTally()
    private var lastTicket: UInt64 = 0
    private var lastToken = 0

    /// - Parameter seed: Whatever the run does follows from it.
    init(seed: UInt64, isTraced: Bool) {
        self.isTraced = isTraced
        var random = SeededRandom(seed: seed)
        var policy = CachePolicy()
        Self.vary(&policy, &random)
        var roster = TenantRoster()
        var limits: [String: TenantPolicy] = [:]
        for name in Self.names { limits[name] = Self.limits(of: name, number: 0, &random) }
        let identities = roster.identify(limits.mapValues(\.identity))
        tenants = Self.names.compactMap { name in
            guard let id = identities[name], let limits = limits[name] else { return nil }
            return ModelTenant(id, limits, now: Self.start)
        }
        sliceSize = random.pick([3, 4, 8, 256, 256])
        machine = CacheStateMachine(
            policy: policy,
            tenants: Dictionary(uniqueKeysWithValues: tenants.map { ($0.id, $0.limits) }),
            random: SeededRandom(seed: random.next()),
            sliceSize: sliceSize,
            now: Self.start
        )
        (self.policy, self.roster, self.random) = (policy, roster, random)
        noteKeys()
    }

    /// The tenants have changed.
    func noteKeys() { keys = configured.flatMap(\.keys) }

    static func peer(_ uid: PeerUID) -> Peer { Peer(uid: uid, gid: 0) }

    static func vary(_ policy: inout CachePolicy, _ random: inout SeededRandom) {
        policy.idleTTL = random.pick([.seconds(5), .seconds(60), .seconds(1_800)])
        policy.negativeTTL = random.pick([.zero, .seconds(10), .seconds(60)])
        policy.maxEntries = random.pick([3, 6, 100, 100, 100])
        policy.minTTL = random.pick([.seconds(1), .seconds(60)])
        (policy.ahead, policy.lastChance) = random.pick([(0.7, 0.9), (0.7, 0.9), (0.5, 0.8), (0.2, 0.6)])
        policy.jitter = random.pick([0, 0.1, 0.1])
        policy.defaultLifetime = random.pick([.seconds(60), .seconds(300)])
    }

    static func limits(of name: String, number: Int, _ random: inout SeededRandom) -> TenantPolicy {
        .test(
            host: "https://\(name)\(number).example",
            rate: random.pick([6, 60, 60, 600]),
            burst: random.pick([1, 5, 50]),
            concurrent: random.pick([1, 3, 8])
        )
    }

    /// Lives a life of so many operations, and comes to rest.
    func run(steps: Int) throws {
        if random.once(in: 2) { try beginPersisting() }
        for _ in 0..<steps {
            step += 1
            try act()
            if random.below(4) > 0 { try settle() }
            if isSettled { try checkSettled() }
            if isSettled, step.isMultiple(of: 50) { try recount() }
        }
        try comeToRest()
    }

    func violated(_ rule: String) -> Violation { Violation(rule: rule, step: step) }

    /// Tells what happens in a life that is replayed.
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

    /// The tenants that are configured.
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

    /// Whether the cache has done all that it has to do now.
    var isSettled: Bool {
        guard let wake else { return true }
        return wake > now
    }

    /// Lets the cache do what it has divided into slices.
    func settle() throws {
        for round in 0... {
            if isSettled { return round > 0 ? try checkSettled() : () }
            guard round < 1_000 else { throw violated("the cache asks to be called at once again and again") }
            try letTimePass()
        }
    }

    func letTimePass() throws {
        tally.note(isSettled || wake == now ? .wokenAtItsTime : .slicesOfTime)
        begin(machine.timePassed(now: now))
        trace("time has passed")
        try finish()
        try judgeDeadlines()
    }

    /// Moves the clock; whatever falls due on the way happens at its time.
    func passTime(_ length: Duration) throws {
        let end = now + length
        for round in 0... {
            guard let wake, wake <= end else { break }
            guard round < 20_000 else { throw violated("the cache asks to be woken again and again") }
            now = max(now, wake)
            try letTimePass()
            if isSettled { try checkSettled() }
        }
        now = end
        try checkSettled()
    }
}

/// The cache's counters.
struct ModelCounters: Equatable {
    var hits = 0
    var misses = 0
    var coalesced = 0
    var negatives = 0
    var started = 0
    var succeeded = 0
    var failed: [String: Int] = [:]
    var refreshesDue = 0
    var refreshesDone = 0
    var refreshesLate = 0
    var evictions: [String: Int] = [
        "expired": 0, "capacity": 0, "invalidated": 0, "revoked": 0, "evicted": 0, "flushed": 0,
    ]
}

/// The number of times that each situation came up in a life: those judged, and the few that could not be.
struct ModelTally {
    enum Item: String, CaseIterable {
        case servedFromCache
        case servedUnmet
        case servedStale
        case servedByTenant
        case letWait
        case refusedByPace
        case toldByPace
        case toldByPaceUnjudged
        case refusedAsNegative
        case refusedAsForced
        case retriedAsTold
        case timedOut
        case timedOutUnforeseen
        case logoutWaited
        case logoutWaitedInVain
        case revoked
        case revocationFailed
        case revocationExpired
        case revocationDropped
        case callerTurn
        case prefetchTurn
        case refreshTurn
        case refreshBesideCallers
        case refreshTriedAgain
        case urgentBeforePrefetch
        case probe
        case probeReplaced
        case clientProven
        case clientDoubted
        case circuitOpened
        case circuitClosed
        case oldGenerationCameBack
        case tokenRevokedOnArrival
        case loggedOutBeforeReply
        case sentWithNewSecret
        case doomedCallEnded
        case unwantedRefreshEnded
        case evictedForRoom
        case forgottenForRoom
        case toldOfRemoval
        case explained
        case restored
        case killedBetweenChanges
        case useForgotten
        case recounted
        case slicesOfTime
        case wokenAtItsTime
        case asked
    }

    private(set) var counts: [Item: Int] = [:]

    mutating func note(_ item: Item) { counts[item, default: 0] += 1 }

    mutating func add(_ other: ModelTally) { counts.merge(other.counts) { $0 + $1 } }
}

extension ModelTally: CustomStringConvertible {
    var description: String {
        Item.allCases.map { "\($0) \(counts[$0, default: 0])" }.joined(separator: ", ")
    }
}
