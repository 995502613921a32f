import Foundation
import OperatorReplies
import Secrets
import SocketServer
import TestSupport
import TokenCache
import TokenProtocol

/// A cache's state machine with one tenant, whose clock and calls the test controls.
struct MovedCache {
    private static let peer = Peer(uid: 7, gid: 7)
    private static let tenant = TenantID(number: 1, name: "main")
    private static let identity = TenantPolicy.Identity(host: "https://tenant", clientID: "client")
    private static let limits: TenantPolicy = {
        var limits = TenantPolicy(identity: identity, maxConcurrent: 1)
        limits.clients = ["users": ClientPolicy(clientID: "client-2", scopes: nil)]
        limits.provisioning = ProvisioningPolicy(client: "users")
        return limits
    }()

    private var machine: CacheStateMachine
    private var now = ContinuousClock.now
    private var wake: Instant?
    private var orders: [CallOrder] = []
    private var lastTicket: UInt64 = 0

    init() {
        machine = CacheStateMachine(
            policy: CachePolicy(),
            tenants: [Self.tenant: Self.limits],
            memory: .anonymous(),
            random: SystemRandomNumberGenerator(),
            now: now
        )
    }

    /// The state of the fleet, which the cache doesn't know.
    var fleet: StatsReply.Fleet? = StatsReply.Fleet()

    var snapshot: ServerSnapshot {
        var cache = machine.snapshot(now: now)
        cache.stats.fleet = fleet
        return ServerSnapshot(cache: cache, health: machine.health(now: now, wall: Date()).status)
    }

    // MARK: Events

    /// Requests a user's token as a new caller.
    mutating func ask(_ user: String) {
        guard let scopes = ScopeSet("user_default") else { return }
        let key = TokenKey(user: Self.key(user), scopes: scopes)
        let options = RequestOptions(timeout: .seconds(300), peer: Self.peer)
        take(machine.request(key, options, waiter: newWaiter(), now: now).actions)
    }

    /// Requests a user's token, and mints it.
    mutating func mint(_ user: String, lifetime: Duration = .seconds(21_600)) throws {
        ask(user)
        try succeed(lifetime: lifetime)
    }

    /// Ends the call under way with a token.
    mutating func succeed(lifetime: Duration = .seconds(21_600), after time: Duration = .seconds(1)) throws {
        now += time
        try end(.minted(AccessToken("token-\(lastTicket)"), scope: nil, lifetime: lifetime))
    }

    /// Ends the call under way with a failure.
    mutating func fail(_ failure: CallFailure) throws { try end(.failed(failure)) }

    /// Fails the mints of users of their own.
    mutating func fail(times: Int, _ failure: CallFailure) throws {
        for index in 0..<times {
            ask("failing-\(index)")
            try fail(failure)
        }
    }

    /// Provisions a user with the client's token, which is minted if there is none, and ends the call that finds the user.
    mutating func provision(_ user: String, _ outcome: APIOutcome) throws {
        let request = ProvisionRequest(subject: Array(user.utf8))
        take(machine.provision(Self.key(user), request, waiter: newWaiter(), for: Self.peer, now: now).actions)
        advance(.zero)
        if case .mintForClient(let call, _, _, _)? = orders.last {
            orders.removeLast()
            let token = MintOutcome.minted(AccessToken("client-token"), scope: nil, lifetime: nil)
            take(machine.ended(call, token, now: now, wall: Date(timeIntervalSince1970: 1_795_000_000)))
            advance(.zero)
        }
        guard case .api(let call, _, _, _, _)? = orders.popLast() else { throw Unexpected() }
        take(machine.apiEnded(call, outcome, now: now))
    }

    mutating func logOut(_ user: String) throws {
        take(machine.revoke(Self.key(user), scopes: nil, waiter: newWaiter(), for: Self.peer, now: now).actions)
        guard case .revoke(let call, _, _, _)? = orders.popLast() else { throw Unexpected() }
        take(machine.revocationEnded(call, .accepted, now: now))
    }

    mutating func evict(_ user: String) {
        take(machine.evict(Self.key(user), scopes: nil, now: now))
    }

    mutating func reconfigure(maxEntries: Int = 100_000, ratePerMinute: Int = 80, burst: Int = 80) {
        var policy = CachePolicy()
        policy.maxEntries = maxEntries
        let limits = TenantPolicy(identity: Self.identity, ratePerMinute: ratePerMinute, burst: burst)
        take(machine.reconfigure(policy: policy, tenants: [Self.tenant: limits], now: now))
    }

    /// Moves the clock, and handles the timers on the way.
    mutating func advance(_ time: Duration) {
        let end = now + time
        for _ in 0..<10_000 {
            guard let next = wake, next <= end else { break }
            now = max(now, next)
            take(machine.timePassed(now: now))
        }
        now = end
    }

    private struct Unexpected: Error {}

    private static func key(_ user: String) -> UserKey {
        UserKey(tenant: tenant, user: UserLookup(field: .subject, value: user))
    }

    private mutating func newWaiter() -> Waiter {
        lastTicket += 1
        return Waiter(connection: 1, ticket: lastTicket)
    }

    private mutating func end(_ outcome: MintOutcome) throws {
        guard case .mint(let call, _, _)? = orders.popLast() else { throw Unexpected() }
        take(machine.ended(call, outcome, now: now, wall: Date(timeIntervalSince1970: 1_795_000_000)))
    }

    private mutating func take(_ actions: CacheActions) {
        orders += actions.calls
        wake = actions.wake
    }
}
