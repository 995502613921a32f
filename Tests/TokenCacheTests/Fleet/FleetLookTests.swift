import OperatorReplies
import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Looks at the second level")
struct FleetLookTests {
    private let ann = TokenKey.of("ann")

    @Test("Without a fleet, and while its second level doesn't answer, a mint is sent at once.")
    func withoutFleet() throws {
        var cache = Simulation()
        #expect(cache.ask(ann) == .wait)
        #expect(cache.mints().count == 1)
        cache.fleet { $0.setFleet(FleetPolicy(), now: $1) }
        #expect(cache.ask(.of("bob")) == .wait)
        #expect(cache.mints().count == 1)
        #expect(cache.fleetOrders() == [])
    }

    @Test("A token lives no longer than its sealed lifetime, whatever the engine says.")
    func longLife() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        let token = cache.stored("theirs", fence: 9, left: .seconds(999_999_999_999))
        let reply = cache.answer(call, .found(token)).first?.reply.token
        #expect(reply?.expiresIn == 21_600)
        cache.advance(.seconds(21_600))
        #expect(cache.ask(ann) == .wait)
    }

    @Test("A mint that could be sent is claimed first, with one order, and sent when the lease is taken.")
    func claim() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let (call, look) = try cache.onlyLook()
        let nonce = try #require(look.claim?.nonce)
        #expect(look == FleetLook(key: ann, claim: FleetClaim(nonce: nonce), minLeft: .seconds(1)))
        #expect(cache.mints().isEmpty)
        #expect(cache.answer(call, .go(FleetFence(1_000))) == [])
        #expect(cache.mints().map(\.call) == [call])
        let reply = try #require(cache.succeed(call).first?.reply.token)
        #expect(reply.source == .tenant)
        let lease = FleetLease(nonce: nonce, fence: FleetFence(1_000))
        let token = FleetToken(
            token: reply.token,
            lifetime: .seconds(21_600),
            expiry: cache.now + .seconds(21_600),
            fence: FleetFence(1_000)
        )
        #expect(cache.fleetOrders() == [.store(ann, lease, token)])
        #expect(cache.ask(ann).served?.source == .cache)
    }

    @Test("A token that is found costs no call and no budget, is cached, and says where it is from.")
    func found() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        let found = cache.answer(call, .found(cache.stored("theirs", fence: 900)))
        let reply = try #require(found.first?.reply.token)
        #expect(reply.source == .fleet)
        #expect(reply.expiresIn == 20_000)
        #expect(cache.fleetOrders() == [])
        #expect(cache.mints().isEmpty)
        #expect(cache.stats().tenants["main"]?.inFlight == 0)
        #expect(cache.stats().tenants["main"]?.rateTokens == 80)
        #expect(cache.ask(ann).served?.source == .cache)
    }

    @Test("A call that has to wait is looked up meanwhile, and what is found ends it.")
    func peek() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 1))
        #expect(cache.ask(.of("first")) == .wait)
        let first = try cache.onlyLook()
        cache.answer(first.call, .go(FleetFence(1)), level: 0)
        _ = cache.mints()
        #expect(cache.ask(ann) == .wait)
        let (call, look) = try cache.onlyLook()
        #expect(look == FleetLook(key: ann, minLeft: .seconds(1)))
        let found = cache.answer(call, .found(cache.stored("theirs", fence: 900)), level: 0)
        #expect(found.first?.reply.token?.source == .fleet)
        #expect(cache.mints().isEmpty)
    }

    @Test("In a hold a caller gets what the second level has, or else the error that came at once without a fleet.")
    func peekInHold() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(.of("first")) == .wait)
        let first = try cache.onlyLook()
        let hold = FleetLimits.Hold(left: .seconds(60), cause: .throttled)
        cache.answer(first.call, .later(.seconds(60)), hold: hold)
        _ = cache.fleetOrders()
        #expect(cache.ask(ann) == .wait)
        let look = try cache.onlyLook()
        #expect(cache.answer(look.call, .found(cache.stored("theirs", fence: 9)), hold: hold).first?.reply.token != nil)
        #expect(cache.ask(.of("bob")) == .wait)
        let other = try cache.onlyLook()
        let reply = cache.answer(other.call, .nothing, hold: hold).first?.reply
        #expect(reply?.error?.code == .rateLimited)
        #expect(reply?.error?.retryAfter == 60)
    }

    @Test("A denial of which another machine has told is one for its time, and no call.")
    func refused() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        let upstream = ErrorReply.Upstream(status: 403)
        let reply = cache.answer(call, .refused(FleetRefusal(upstream, left: .seconds(7)))).first?.reply
        #expect(reply?.error == .denied(upstream, retryAfter: .seconds(7)))
        #expect(cache.ask(ann).error == .denied(upstream, retryAfter: .seconds(7)))
        #expect(cache.fleetOrders() == [])
        cache.advance(.seconds(7))
        #expect(cache.ask(ann) == .wait)
    }

    @Test(
        "If the second level doesn't answer, the mint is sent without it, and a lease that it may have is given back."
    )
    func unavailable() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let (call, look) = try cache.onlyLook()
        #expect(cache.answer(call, .unavailable, level: nil) == [])
        #expect(cache.succeed(try cache.onlyMint()).first?.reply.token?.source == .tenant)
        let nonce = try #require(look.claim?.nonce)
        #expect(cache.fleetOrders() == [.release(ann, FleetLease(nonce: nonce, fence: nil), nil)])
    }

    @Test("A token with too little time left is looked for again, with more.")
    func tooShort() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let first = try cache.onlyLook()
        cache.answer(first.call, .found(cache.stored("old", fence: 900, left: .seconds(20))))
        let second = try cache.onlyLook()
        #expect(second.look.minLeft == .seconds(21))
        #expect(second.call == first.call)
        cache.answer(second.call, .go(FleetFence(1_000)))
        #expect(cache.mints().count == 1)
    }

    @Test("A caller with a min_ttl gets no token of the second level with less.")
    func minTTL() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann, minTTL: .seconds(7_200)) == .wait)
        let first = try cache.onlyLook()
        cache.answer(first.call, .found(cache.stored("old", fence: 900, left: .seconds(7_000))))
        #expect(try cache.onlyLook().look.minLeft == .seconds(7_001))
    }

    @Test("A refresh looks for a newer token than it has, and takes what another machine has refreshed.")
    func refresh() throws {
        var cache = Simulation.inFleet()
        try cache.warmInFleet(ann, fence: 500)
        cache.suspend(.seconds(18_000))
        #expect(cache.ask(ann).refreshes)
        let (call, look) = try cache.onlyLook()
        #expect(look.newerThan == FleetFence(500))
        cache.answer(call, .found(cache.stored("newer", fence: 700)))
        #expect(cache.mints().isEmpty)
        #expect(cache.ask(ann).served?.token.accessToken == .init("newer"))
    }

    @Test("A demand for a new token finds only one that is newer than the demand, and no denial.")
    func noCache() throws {
        var cache = Simulation.inFleet()
        try cache.warmInFleet(ann, fence: 500)
        #expect(cache.ask(ann, noCache: true) == .wait)
        let (call, look) = try cache.onlyLook()
        #expect(look.newerThan == FleetFence(.max))
        #expect(look.ignoresRefusal)
        cache.answer(call, .wait(.seconds(5)), time: 2_000)
        cache.happen(.changed(ann))
        #expect(try cache.onlyLook().look.newerThan == FleetFence(2_000))
    }

    @Test("After a report only a token is taken that is newer than the reported one.")
    func report() throws {
        var cache = Simulation.inFleet()
        let fingerprint = try cache.warmInFleet(ann, fence: 500)
        #expect(cache.invalidate(ann, fingerprint) == .dropped)
        #expect(try cache.onlyDrop().drop == FleetDrop(.reported(ann, fingerprint), .eviction))
        #expect(cache.ask(ann) == .wait)
        #expect(try cache.onlyLook().look.newerThan == FleetFence(500))
    }

    @Test("At most 256 looks that take nothing are under way. The others follow as these are answered.")
    func manyPeeks() throws {
        var cache = Simulation.inFleet(.test(rate: 1, burst: 1, concurrent: 1))
        #expect(cache.ask(.of("first"), timeout: .seconds(60)) == .wait)
        _ = cache.fleetOrders()
        #expect(cache.prefetch((0..<300).map { .of("user-\($0)") }).queued == 300)
        let orders = cache.fleetOrders()
        #expect(orders.count == 256)
        guard case .look(let call, _)? = orders.first else { throw Simulation.Unexpected(orders: orders) }
        cache.answer(call, .found(cache.stored("theirs", fence: 9)), level: 0)
        #expect(try cache.onlyLook().look.key == .of("user-256"))
    }

    @Test("The own tokens of clients, and probes, are paid for and not shared.")
    func payments() throws {
        var cache = Simulation.inFleet(.provisioning())
        let client = TokenKey(tenant: "main", user: UserLookup(field: .client, value: "users"), scopes: .all)
        #expect(cache.ask(client) == .wait)
        let orders = cache.fleetOrders()
        guard case .pay(let call, "main", reserve: 0)? = orders.first, orders.count == 1 else {
            throw Simulation.Unexpected(orders: orders)
        }
        cache.answer(call, .go(.none))
        cache.succeed(try cache.onlyMint())
        #expect(cache.fleetOrders() == [])
    }

    @Test("An explanation and the answer agree: the second level is asked.")
    func explain() throws {
        var cache = Simulation.inFleet()
        #expect(cache.machine.explain(ann, for: 7, now: cache.now).reason.contains("asks the other machines' cache"))
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        #expect(cache.machine.explain(ann, for: 7, now: cache.now).state == .minting)
        cache.answer(call, .wait(.seconds(5)))
        let explained = cache.machine.explain(ann, for: 7, now: cache.now)
        #expect(explained.reason == "another machine mints the token, and a request waits for it")
        #expect(explained.source == .fleet)
        #expect(explained.fleet == .init(isConnected: true, step: .yielding, seconds: 4))
        #expect(Simulation().machine.explain(ann, for: 7, now: cache.now).fleet == nil)
    }
}
