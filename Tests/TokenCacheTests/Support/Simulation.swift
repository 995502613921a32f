import OperatorReplies
import Secrets
import TestSupport
import Testing
import TokenProtocol

@testable import TokenCache

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A state machine with a clock that only the test moves, and short forms of what tests do again and again.
struct Simulation {
    static let start = ContinuousClock.Instant.wholeMicrosecond
    static let wall = Date(timeIntervalSince1970: 1_795_000_000)

    private(set) var machine: CacheStateMachine
    private(set) var now = Self.start
    /// The time at which the machine asks to be called.
    private(set) var wake: Instant?
    private var lastTicket: UInt64 = 0
    private var lastToken = 0
    private var given: [CallOrder] = []
    private var fleetGiven: [FleetOrder] = []
    private var notices: [CacheNotice] = []
    private var mintReports: [MintReport] = []
    private var incidents: [TenantIncident] = []
    /// The number of restored tokens, when it was reported.
    private var restored: Int?
    private(set) var records: [AuditRecord] = []
    private var deliveries: [Delivery] = []

    init(
        policy: CachePolicy = CachePolicy(),
        tenants: [TenantID: TenantPolicy] = ["main": .test()],
        jitterFraction: Double = 0.5,
        sliceSize: Int = CacheStateMachine.defaultSliceSize,
        memory: CacheMemory = .anonymous()
    ) {
        machine = CacheStateMachine(
            policy: policy,
            tenants: tenants,
            memory: memory,
            random: ConstantGenerator(jitterFraction),
            sliceSize: sliceSize,
            now: Self.start
        )
    }

    /// Creates a cache with one call per second and no burst, whose bucket somebody else has just emptied.
    static func withEmptyBucket() -> Simulation {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 1, concurrent: 100)])
        #expect(cache.ask(.of("first"), timeout: .seconds(60), peer: 9) == .wait)
        #expect(cache.mints().count == 1)
        return cache
    }

    // MARK: Performing

    private mutating func perform<Answer>(_ outcome: Outcome<Answer>) -> Answer {
        perform(outcome.actions)
        return outcome.answer
    }

    /// Takes the actions of an event, and finishes all deferred work at once.
    private mutating func perform(_ actions: CacheActions) {
        take(actions)
        for _ in 0..<100_000 {
            guard machine.hasWork else { return }
            take(machine.timePassed(now: now))
        }
        Issue.record("there is no end of work")
    }

    /// Takes the actions of an event, and nothing else.
    private mutating func take(_ actions: CacheActions) {
        given += actions.calls
        fleetGiven += actions.fleetOrders
        for notice in actions.notices {
            switch notice {
            case .minted(let report): mintReports.append(report)
            case .incident(let incident): incidents.append(incident)
            case .restored(let entries, _): restored = entries
            default: notices.append(notice)
            }
        }
        records += actions.records
        deliveries += actions.deliveries
        wake = actions.wake
    }

    /// Returns the replies since the last call.
    mutating func takeDeliveries() -> [Delivery] {
        defer { deliveries = [] }
        return deliveries
    }

    /// Returns the notices since the last call.
    mutating func takeNotices() -> [CacheNotice] {
        defer { notices = [] }
        return notices
    }

    /// Returns the reports of incidents since the last call.
    mutating func takeIncidents() -> [TenantIncident] {
        defer { incidents = [] }
        return incidents
    }

    /// Returns the reports of mints since the last call.
    mutating func takeMintReports() -> [MintReport] {
        defer { mintReports = [] }
        return mintReports
    }

    // MARK: The fleet

    /// Returns what the second level was asked and told since the last call.
    mutating func fleetOrders() -> [FleetOrder] {
        defer { fleetGiven = [] }
        return fleetGiven
    }

    /// Handles an event of the second level, and returns the replies that it causes.
    @discardableResult
    mutating func fleet(_ event: (inout CacheStateMachine, Instant) -> CacheActions) -> [Delivery] {
        deliveries = []
        perform(event(&machine, now))
        return takeDeliveries()
    }

    // MARK: Time

    /// Moves the clock without timers, as during suspend or if a timer is late.
    mutating func suspend(_ duration: Duration) { now += duration }

    /// Moves the clock.
    ///
    /// Timers on the way go off at their time. Calls that are sent on the way are kept for ``orders()``.
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

    /// Does one slice of what is due.
    mutating func timePassed() { take(machine.timePassed(now: now)) }

    // MARK: Events

    /// Returns a waiter that was not used before.
    mutating func newWaiter() -> Waiter {
        lastTicket += 1
        return Waiter(connection: 1, ticket: lastTicket)
    }

    /// Requests a token as a new caller.
    mutating func ask(
        _ key: TokenKey,
        minTTL: Duration? = nil,
        timeout: Duration = .seconds(10),
        noCache: Bool = false,
        refused: Fingerprint? = nil,
        peer: PeerUID = 7,
        in trace: TraceContext? = nil
    ) -> RequestAnswer {
        let waiter = newWaiter()
        return ask(
            key,
            minTTL: minTTL,
            timeout: timeout,
            noCache: noCache,
            refused: refused,
            peer: peer,
            in: trace,
            as: waiter
        )
    }

    mutating func ask(
        _ key: TokenKey,
        minTTL: Duration? = nil,
        timeout: Duration = .seconds(10),
        noCache: Bool = false,
        refused: Fingerprint? = nil,
        peer: PeerUID = 7,
        in trace: TraceContext? = nil,
        as waiter: Waiter
    ) -> RequestAnswer {
        let options = RequestOptions(
            minTTL: minTTL,
            timeout: timeout,
            noCache: noCache,
            refused: refused,
            peer: Peer(uid: peer, gid: 0),
            trace: trace
        )
        return perform(machine.request(key, options, waiter: waiter, now: now))
    }

    mutating func prefetch(
        _ keys: [TokenKey],
        for peer: PeerUID = 7,
        in trace: TraceContext? = nil
    ) -> PrefetchCount {
        perform(machine.prefetch(keys, for: Peer(uid: peer, gid: 0), in: trace, now: now))
    }

    @discardableResult
    mutating func beginRound(_ subjects: [String], of tenant: TenantID = "main") -> Bool {
        let scopes = TokenKey.of("any").scopes
        return perform(machine.beginPrefetchRound(of: tenant, subjects, scopes, now: now))
    }

    mutating func endRound(of tenant: TenantID = "main") { perform(machine.endPrefetchRound(of: tenant, now: now)) }

    mutating func invalidate(_ key: TokenKey, _ fingerprint: Fingerprint) -> InvalidateAnswer {
        perform(machine.invalidate(key, fingerprint, now: now))
    }

    /// Logs a user out as a new caller.
    mutating func revoke(
        _ user: UserKey,
        scopes: ScopeSet? = nil,
        peer: PeerUID = 7,
        in trace: TraceContext? = nil
    ) -> Reply? {
        revoke(user, scopes: scopes, peer: peer, in: trace, as: newWaiter())
    }

    mutating func revoke(
        _ user: UserKey,
        scopes: ScopeSet? = nil,
        peer: PeerUID = 7,
        in trace: TraceContext? = nil,
        as waiter: Waiter
    ) -> Reply? {
        perform(
            machine.revoke(user, scopes: scopes, waiter: waiter, for: Peer(uid: peer, gid: 0), in: trace, now: now)
        )
    }

    // MARK: The API

    /// Provisions a user as a new caller.
    mutating func provision(
        _ request: ProvisionRequest,
        tenant: TenantID = "main",
        peer: PeerUID = 7,
        as waiter: Waiter? = nil
    ) -> Reply? {
        let waiter = waiter ?? newWaiter()
        let user = UserKey(tenant: tenant, user: request.user)
        return perform(
            machine.provision(user, request, waiter: waiter, for: Peer(uid: peer, gid: 0), now: now)
        )
    }

    /// Logs a user out everywhere as a new caller.
    mutating func revokeEverywhere(_ user: UserKey, peer: PeerUID = 7, as waiter: Waiter? = nil) -> Reply? {
        let waiter = waiter ?? newWaiter()
        return perform(
            machine.revoke(user, scopes: nil, everywhere: true, waiter: waiter, for: Peer(uid: peer, gid: 0), now: now)
        )
    }

    /// Returns the calls of the API that are sent now.
    mutating func apiCalls() -> [(id: CallID, call: APICall, bearer: AccessToken)] {
        orders().compactMap { order in
            if case .api(let id, _, let call, let bearer, _) = order { (id, call, bearer) } else { nil }
        }
    }

    /// Returns the only call of the API that is sent now.
    mutating func onlyAPICall(sourceLocation: SourceLocation = #_sourceLocation) throws -> (CallID, APICall) {
        let calls = apiCalls()
        #expect(calls.count == 1, sourceLocation: sourceLocation)
        let call = try #require(calls.first, sourceLocation: sourceLocation)
        return (call.id, call.call)
    }

    /// Ends a call of the API.
    @discardableResult
    mutating func endAPI(_ call: CallID, _ outcome: APIOutcome) -> [Delivery] {
        deliveries = []
        perform(machine.apiEnded(call, outcome, now: now))
        return takeDeliveries()
    }

    // MARK: Restoring

    /// Starts to restore the last daemon's tokens.
    mutating func beginRestoring() { take(machine.beginRestoring(now: now)) }

    /// Restores the last daemon's tokens, and finishes all deferred work.
    ///
    /// - Returns: The reported number of restored tokens, or nil if none was reported since it was last taken.
    mutating func restore() -> Int? {
        defer { restored = nil }
        perform(machine.beginRestoring(now: now))
        return restored
    }

    /// Finishes all deferred work.
    mutating func finishWork() { perform(machine.timePassed(now: now)) }

    /// Requests a token without finishing the deferred work.
    mutating func askOnly(
        _ key: TokenKey,
        timeout: Duration = .seconds(10),
        noCache: Bool = false,
        refused: Fingerprint? = nil,
        as waiter: Waiter? = nil
    ) -> RequestAnswer {
        let peer = Peer(uid: 7, gid: 0)
        let options = RequestOptions(timeout: timeout, noCache: noCache, refused: refused, peer: peer)
        let outcome = machine.request(key, options, waiter: waiter ?? newWaiter(), now: now)
        take(outcome.actions)
        return outcome.answer
    }

    mutating func prefetchOnly(_ keys: [TokenKey]) -> PrefetchCount {
        let outcome = machine.prefetch(keys, for: Peer(uid: 7, gid: 0), now: now)
        take(outcome.actions)
        return outcome.answer
    }

    mutating func endOnly(_ call: CallID, _ token: String) {
        let result = MintOutcome.minted(AccessToken(token), scope: nil, lifetime: .seconds(21_600))
        take(machine.ended(call, result, now: now, wall: Self.wall))
    }

    mutating func cancelOnly(_ waiter: Waiter) { take(machine.cancelWaits(of: [waiter], now: now)) }

    mutating func flushOnly() { take(machine.flush(tenant: nil, now: now).actions) }

    mutating func evictOnly(_ user: UserKey) { take(machine.evict(user, scopes: nil, now: now)) }

    mutating func invalidateOnly(_ key: TokenKey, _ fingerprint: Fingerprint) {
        take(machine.invalidate(key, fingerprint, now: now).actions)
    }

    mutating func revokeOnly(_ user: UserKey) {
        let peer = Peer(uid: 7, gid: 0)
        take(machine.revoke(user, scopes: nil, waiter: newWaiter(), for: peer, now: now).actions)
    }

    mutating func reconfigureOnly(tenants: [TenantID: TenantPolicy]) {
        take(machine.reconfigure(policy: CachePolicy(), tenants: tenants, now: now))
    }

    mutating func shutDownOnly() { take(machine.shutDown(now: now)) }

    mutating func beginRoundOnly(_ subjects: [String]) {
        take(machine.beginPrefetchRound(of: "main", subjects, TokenKey.of("any").scopes, now: now).actions)
    }

    // MARK: Operators

    mutating func evict(_ user: UserKey, scopes: ScopeSet? = nil) {
        perform(machine.evict(user, scopes: scopes, now: now))
    }

    mutating func flush(tenant: TenantID? = nil) -> Int { perform(machine.flush(tenant: tenant, now: now)) }

    mutating func releaseHolds(of tenant: TenantID? = nil, for peer: Peer) -> Int {
        perform(machine.releaseHolds(of: tenant, for: peer, now: now))
    }

    mutating func cancelWaits(of waiters: [Waiter]) { perform(machine.cancelWaits(of: waiters, now: now)) }

    mutating func secretChanged(of tenant: TenantID = "main", client: String? = nil) {
        perform(machine.secretChanged(of: ClientReference(tenant, name: client), now: now))
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

    /// Returns the calls since the last call of this method.
    mutating func orders() -> [CallOrder] {
        defer { given = [] }
        return given
    }

    /// Returns the keys that are minted now, with their calls.
    mutating func mints() -> [(call: CallID, key: TokenKey)] {
        orders().compactMap { order in
            switch order {
            case .mint(let call, let key, _), .mintForClient(let call, let key, _, _): (call, key)
            case .revoke, .api: nil
            }
        }
    }

    /// Returns the calls that revoke tokens now.
    mutating func revocations() -> [CallID] {
        orders().compactMap { order in if case .revoke(let call, _, _, _) = order { call } else { nil } }
    }

    /// Ends a call with a new token.
    @discardableResult
    mutating func succeed(_ call: CallID, lifetime: Duration? = .seconds(21_600), scope: String? = nil) -> [Delivery] {
        lastToken += 1
        let token = AccessToken("token-\(lastToken)")
        return end(call, .minted(token, scope: scope, lifetime: lifetime))
    }

    @discardableResult
    mutating func fail(_ call: CallID, _ failure: CallFailure) -> [Delivery] { end(call, .failed(failure)) }

    mutating func end(_ call: CallID, _ result: MintOutcome) -> [Delivery] {
        deliveries = []
        perform(machine.ended(call, result, now: now, wall: Self.wall))
        return takeDeliveries()
    }

    @discardableResult
    mutating func endRevocation(_ call: CallID, _ result: RevocationOutcome) -> [Delivery] {
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

    /// Returns the only mint that is sent now.
    mutating func onlyMint(sourceLocation: SourceLocation = #_sourceLocation) throws -> CallID {
        let mints = mints()
        #expect(mints.count == 1, sourceLocation: sourceLocation)
        return try #require(mints.first?.call, sourceLocation: sourceLocation)
    }
}
