import OperatorReplies
import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A state machine with a clock that only the test moves, and short words for what tests say again and again.
struct Simulation {
    static let start = ContinuousClock.now
    static let wall = Date(timeIntervalSince1970: 1_795_000_000)

    private(set) var machine: CacheStateMachine
    private(set) var now = Self.start
    /// When the machine wants to be woken.
    private(set) var wake: Instant?
    private var lastTicket: UInt64 = 0
    private var lastToken = 0
    private var given: [CallOrder] = []
    private var notices: [CacheNotice] = []
    private(set) var records: [AuditRecord] = []
    private var deliveries: [Delivery] = []

    init(
        policy: CachePolicy = CachePolicy(),
        tenants: [TenantID: TenantPolicy] = ["main": .test()],
        draw: Double = 0.5,
        sliceSize: Int = CacheStateMachine.defaultSliceSize
    ) {
        machine = CacheStateMachine(
            policy: policy,
            tenants: tenants,
            random: Constant(draw),
            sliceSize: sliceSize,
            now: Self.start
        )
    }

    // MARK: Performing

    private mutating func perform<Answer>(_ outcome: Outcome<Answer>) -> Answer {
        perform(outcome.actions)
        return outcome.answer
    }

    /// Takes what an event has the shell do; what is left of long work is done at once.
    private mutating func perform(_ actions: CacheActions) {
        take(actions)
        for _ in 0..<100_000 {
            guard !machine.chores.isEmpty || !machine.settlements.isEmpty else { return }
            take(machine.timePassed(now: now))
        }
        Issue.record("there is no end of work")
    }

    /// Takes what an event has the shell do, and nothing else.
    private mutating func take(_ actions: CacheActions) {
        given += actions.calls
        notices += actions.notices
        records += actions.records
        deliveries += actions.deliveries
        wake = actions.wake
    }

    /// The replies that came since this was last asked.
    mutating func takeDeliveries() -> [Delivery] {
        defer { deliveries = [] }
        return deliveries
    }

    /// What operators should read since this was last asked.
    mutating func takeNotices() -> [CacheNotice] {
        defer { notices = [] }
        return notices
    }

    // MARK: Time

    /// Moves the clock without letting anything that falls due happen: a suspend, or a timer that is late.
    mutating func suspend(_ duration: Duration) { now += duration }

    /// Moves the clock; everything that falls due on the way happens at its time.
    ///
    /// Calls that go on the way are kept for ``orders()``.
    @discardableResult
    mutating func advance(_ duration: Duration) -> [Delivery] {
        let end = now + duration
        deliveries = []
        take(machine.timePassed(now: now))
        for round in 0... {
            guard let next = wake, next <= end else { break }
            #expect(round < 10_000, "the machine asks to be woken again and again")
            guard round < 10_000 else { break }
            now = max(now, next)
            take(machine.timePassed(now: now))
        }
        now = end
        return takeDeliveries()
    }

    /// Lets one slice of what is due happen.
    mutating func timePassed() { take(machine.timePassed(now: now)) }

    // MARK: Events

    /// A waiter that was not used before.
    mutating func newWaiter() -> Waiter {
        lastTicket += 1
        return Waiter(connection: 1, ticket: lastTicket)
    }

    /// Asks for a token as a caller that hasn't asked before.
    mutating func ask(
        _ key: TokenKey,
        minTTL: Duration? = nil,
        timeout: Duration = .seconds(10),
        noCache: Bool = false,
        peer: PeerUID = 7
    ) -> RequestAnswer {
        ask(key, minTTL: minTTL, timeout: timeout, noCache: noCache, peer: peer, as: newWaiter())
    }

    mutating func ask(
        _ key: TokenKey,
        minTTL: Duration? = nil,
        timeout: Duration = .seconds(10),
        noCache: Bool = false,
        peer: PeerUID = 7,
        as waiter: Waiter
    ) -> RequestAnswer {
        let options = RequestOptions(
            minTTL: minTTL,
            timeout: timeout,
            noCache: noCache,
            peer: Peer(uid: peer, gid: 0)
        )
        return perform(machine.request(key, options, waiter: waiter, now: now))
    }

    mutating func prefetch(_ keys: [TokenKey], for peer: PeerUID = 7) -> PrefetchCount {
        perform(machine.prefetch(keys, for: Peer(uid: peer, gid: 0), now: now))
    }

    mutating func invalidate(_ key: TokenKey, _ fingerprint: Fingerprint) -> InvalidateAnswer {
        perform(machine.invalidate(key, fingerprint, now: now))
    }

    /// Logs a user out as somebody who hasn't asked before.
    mutating func revoke(_ user: UserKey, scopes: ScopeSet? = nil, peer: PeerUID = 7) -> Reply? {
        revoke(user, scopes: scopes, peer: peer, as: newWaiter())
    }

    mutating func revoke(_ user: UserKey, scopes: ScopeSet? = nil, peer: PeerUID = 7, as waiter: Waiter) -> Reply? {
        perform(machine.revoke(user, scopes: scopes, waiter: waiter, for: Peer(uid: peer, gid: 0), now: now))
    }

    mutating func evict(_ user: UserKey, scopes: ScopeSet? = nil) {
        perform(machine.evict(user, scopes: scopes, now: now))
    }

    mutating func flush(tenant: TenantID? = nil) -> Int { perform(machine.flush(tenant: tenant, now: now)) }

    mutating func leave(_ waiters: [Waiter]) { perform(machine.leave(waiters, now: now)) }

    mutating func secretChanged(of tenant: TenantID = "main") {
        perform(machine.secretChanged(of: tenant, now: now))
    }

    @discardableResult
    mutating func reconfigure(
        policy: CachePolicy = CachePolicy(),
        tenants: [TenantID: TenantPolicy] = ["main": .test()]
    ) -> [Delivery] {
        deliveries = []
        perform(machine.reconfigure(policy: policy, tenants: tenants, now: now))
        return takeDeliveries()
    }

    mutating func shutDown() { perform(machine.shutDown(now: now)) }

    mutating func stats() -> StatsReply { machine.stats(now: now) }

    // MARK: Calls

    /// The calls that have gone since this was last asked.
    mutating func orders() -> [CallOrder] {
        defer { given = [] }
        return given
    }

    /// The keys that are minted now, with their calls.
    mutating func mints() -> [(call: CallID, key: TokenKey)] {
        orders().compactMap { order in
            if case .mint(let call, let key) = order { (call, key) } else { nil }
        }
    }

    /// The calls to revoke tokens that go now.
    mutating func revocations() -> [CallID] {
        orders().compactMap { order in if case .revoke(let call, _, _) = order { call } else { nil } }
    }

    /// Ends a call with a token that was never seen before.
    @discardableResult
    mutating func succeed(_ call: CallID, lifetime: Duration? = .seconds(21_600), scope: String? = nil) -> [Delivery] {
        lastToken += 1
        let token = AccessToken("token-\(lastToken)")
        return end(call, .minted(token, scope: scope, lifetime: lifetime))
    }

    @discardableResult
    mutating func fail(_ call: CallID, _ failure: MintFailure) -> [Delivery] { end(call, .failed(failure)) }

    mutating func end(_ call: CallID, _ result: MintResult) -> [Delivery] {
        deliveries = []
        perform(machine.ended(call, result, now: now, wall: Self.wall))
        return takeDeliveries()
    }

    @discardableResult
    mutating func endRevocation(_ call: CallID, _ result: RevocationResult) -> [Delivery] {
        deliveries = []
        perform(machine.revocationEnded(call, result, now: now))
        return takeDeliveries()
    }

    /// Puts a fresh token into the cache.
    mutating func warm(_ key: TokenKey, lifetime: Duration = .seconds(21_600), peer: PeerUID = 7) throws {
        #expect(ask(key, peer: peer) == .wait)
        let call = try #require(mints().first { $0.key == key }?.call)
        #expect(succeed(call, lifetime: lifetime).count == 1)
    }

    /// The only mint that goes now.
    mutating func onlyMint(sourceLocation: SourceLocation = #_sourceLocation) throws -> CallID {
        let mints = mints()
        #expect(mints.count == 1, sourceLocation: sourceLocation)
        return try #require(mints.first?.call, sourceLocation: sourceLocation)
    }
}

/// A generator that always gives the same number.
struct Constant: RandomNumberGenerator {
    private let value: UInt64

    /// - Parameter draw: From 0 up to 1.
    init(_ draw: Double) { value = UInt64(draw * 0x1p63) * 2 }

    mutating func next() -> UInt64 { value }
}

extension TokenKey {
    /// A subject of the tenant `main` with its default scope.
    static func of(_ subject: String, tenant: TenantID = "main", scope: String = "user_default") -> TokenKey {
        TokenKey(
            tenant: tenant,
            user: UserLookup(field: .subject, value: subject),
            scopes: ScopeSet(scope) ?? .none
        )
    }
}

extension ScopeSet {
    /// Takes the place of a scope that a test misspelt, so that its expectation fails and not the test process.
    fileprivate static let none = [ScopeSet("misspelt")].compactMap(\.self)[0]
}

extension TenantPolicy {
    static func test(host: String = "https://one.example", rate: Int = 80, burst: Int = 80, concurrent: Int = 8) -> Self
    {
        TenantPolicy(
            identity: Identity(host: host, clientID: "client"),
            ratePerMinute: rate,
            burst: burst,
            maxConcurrent: concurrent
        )
    }
}

extension RequestAnswer {
    /// The token that is served, with or without a refresh behind it.
    var served: TokenReply? {
        switch self {
        case .serve(let reply), .serveAndRefresh(let reply): reply
        case .wait, .refuse: nil
        }
    }

    /// The error that is answered.
    var refusal: ErrorReply? {
        if case .refuse(let error) = self { error } else { nil }
    }

    /// Whether a refresh was planned behind the answer.
    var refreshes: Bool {
        if case .serveAndRefresh = self { true } else { false }
    }
}

extension Reply {
    /// The error that is answered.
    var error: ErrorReply? {
        if case .error(let error) = self { error } else { nil }
    }

    /// The token that is answered.
    var token: TokenReply? {
        if case .token(let token) = self { token } else { nil }
    }
}

/// A user, about whom nothing else matters.
extension Peer: ExpressibleByIntegerLiteral {
    /// A uid.
    public convenience init(integerLiteral uid: UInt32) { self.init(uid: uid, gid: 0) }
}

/// A tenant that is known by its name alone, as long as a test has no two of the same.
extension TenantID: ExpressibleByStringLiteral {
    /// Names a tenant.
    public init(stringLiteral name: String) {
        self.init(number: name.utf8.reduce(0) { ($0 &* 31 &+ UInt32($1)) % 1_000_003 }, name: name)
    }
}
