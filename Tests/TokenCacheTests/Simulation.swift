import Secrets
import Testing
import TokenCache
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A state machine with a clock that only the test moves, and short words for what tests say again and again.
struct Simulation {
    static let start = ContinuousClock.now

    var machine: CacheStateMachine
    private(set) var now = Self.start
    private var lastTicket: UInt64 = 0
    private var lastToken = 0
    private var given: [CallOrder] = []

    init(
        policy: CachePolicy = CachePolicy(),
        tenants: [String: TenantPolicy] = ["main": .test()],
        draw: Double = 0.5
    ) {
        machine = CacheStateMachine(policy: policy, tenants: tenants, random: Constant(draw), now: Self.start)
    }

    /// Moves the clock without letting anything that falls due happen: a suspend, or a timer that is late.
    mutating func suspend(_ duration: Duration) { now += duration }

    /// Moves the clock; everything that falls due on the way happens at its time.
    ///
    /// Calls that go on the way are kept
    /// for ``orders()``.
    @discardableResult
    mutating func advance(_ duration: Duration) -> [Delivery] {
        let end = now + duration
        var deliveries: [Delivery] = []
        takeOrders()
        for round in 0... {
            guard let next = machine.nextTime(now: now), next <= end else { break }
            #expect(round < 10_000, "the machine asks to be woken again and again")
            guard round < 10_000 else { break }
            now = max(now, next)
            deliveries += machine.timePassed(now: now)
            takeOrders()
        }
        now = end
        return deliveries
    }

    private mutating func takeOrders() {
        while let order = machine.nextCall(now: now) { given.append(order) }
    }

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
    ) -> CacheStateMachine.RequestAction {
        ask(key, minTTL: minTTL, timeout: timeout, noCache: noCache, peer: peer, as: newWaiter())
    }

    mutating func ask(
        _ key: TokenKey,
        minTTL: Duration? = nil,
        timeout: Duration = .seconds(10),
        noCache: Bool = false,
        peer: PeerUID = 7,
        as waiter: Waiter
    ) -> CacheStateMachine.RequestAction {
        let wish = CacheStateMachine.Wish(
            minTTL: minTTL,
            timeout: timeout,
            noCache: noCache,
            peer: Peer(uid: peer, gid: 0)
        )
        return machine.request(key, wish, waiter: waiter, now: now)
    }

    /// The calls that have gone since this was last asked.
    mutating func orders() -> [CallOrder] {
        takeOrders()
        defer { given = [] }
        return given
    }

    /// The keys that are minted now, with their calls.
    mutating func mints() -> [(call: CallID, key: TokenKey)] {
        orders().compactMap { order in
            if case .mint(let call, let key) = order { (call, key) } else { nil }
        }
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
        machine.ended(call, result, now: now, wall: Date(timeIntervalSince1970: 1_795_000_000))
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
    static func of(_ subject: String, tenant: String = "main", scope: String = "user_default") -> TokenKey {
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

extension CacheStateMachine.RequestAction {
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
