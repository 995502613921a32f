import OperatorReplies
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Leases of mints")
struct FleetLeaseTests {
    private let ann = TokenKey.of("ann")

    /// Creates a cache that mints with a lease.
    private func minting(_ policy: TenantPolicy = .test()) throws -> (Simulation, CallID, FleetLease) {
        var cache = Simulation.inFleet(policy)
        #expect(cache.ask(ann, timeout: .seconds(60)) == .wait)
        let (call, look) = try cache.onlyLook()
        cache.answer(call, .go(FleetFence(1_000)))
        #expect(try cache.onlyMint() == call)
        return (cache, call, FleetLease(nonce: try #require(look.claim?.nonce), fence: FleetFence(1_000)))
    }

    @Test("A lease lasts four seconds, or as long as a short call, and is extended at each third of that.")
    func renewal() throws {
        var policy = TenantPolicy.test()
        policy.timeout = .seconds(7)
        #expect(policy.leaseLength == .seconds(4))
        policy.timeout = .seconds(1)
        #expect(policy.leaseLength == .seconds(3))
        var (cache, call, lease) = try minting(policy)
        cache.advance(.seconds(1) - .nanoseconds(1))
        #expect(cache.fleetOrders() == [])
        cache.advance(.seconds(2))
        #expect(cache.fleetOrders() == [.renew(ann, lease), .renew(ann, lease)])
        cache.succeed(call)
        cache.advance(.seconds(30))
        #expect(cache.fleetOrders().count == 1)
    }

    @Test("A token of the time without a second level is stored when it is back, unless the lease has ended.")
    func late() throws {
        var (cache, call, lease) = try minting()
        cache.happen(.disconnected("main"))
        cache.succeed(call)
        #expect(cache.fleetOrders() == [])
        cache.connect()
        let orders = cache.fleetOrders()
        guard case .store(ann, lease, _)? = orders.first, orders.count == 1 else {
            throw Simulation.Unexpected(orders: orders)
        }
        (cache, call, lease) = try minting()
        cache.happen(.disconnected("main"))
        cache.fail(call, .unavailable("it is down"))
        cache.advance(.seconds(5))
        cache.connect()
        #expect(cache.fleetOrders() == [])
    }

    @Test("A failure gives the lease back, a denial with the denial.")
    func release() throws {
        var (cache, call, lease) = try minting()
        cache.fail(call, .unavailable("it is down"))
        #expect(cache.fleetOrders() == [.release(ann, lease, nil)])
        (cache, call, lease) = try minting()
        let upstream = ErrorReply.Upstream(status: 403)
        cache.fail(call, .denied(upstream))
        #expect(cache.fleetOrders() == [.release(ann, lease, FleetRefusal(upstream, left: .seconds(10)))])
    }

    @Test("A denial with 401 is not told once the client is doubtful, nor one with an old secret.")
    func unauthorized() throws {
        var (cache, call, lease) = try minting()
        let upstream = ErrorReply.Upstream(status: 401)
        cache.fail(call, .denied(upstream))
        #expect(cache.fleetOrders() == [.release(ann, lease, FleetRefusal(upstream, left: .seconds(10)))])
        for subject in ["bob", "cid"] {
            #expect(cache.ask(.of(subject)) == .wait)
            let look = try cache.onlyLook()
            cache.answer(look.call, .go(FleetFence(1_001)))
            if subject == "cid" { _ = cache.fleetOrders() }
            cache.fail(try cache.onlyMint(), .denied(upstream))
            if subject == "bob" { _ = cache.fleetOrders() }
        }
        guard case .release(let key, _, nil)? = cache.fleetOrders().last, key == .of("cid") else {
            Issue.record("the denial of a doubtful client was told")
            return
        }
    }

    @Test("A token whose generation was raised meanwhile is not stored.")
    func superseded() throws {
        var (cache, call, lease) = try minting()
        cache.evict(ann.user)
        #expect(try cache.onlyDrop().drop == FleetDrop(.user(ann.user, nil), .eviction))
        #expect(cache.succeed(call).count == 1)
        #expect(cache.fleetOrders() == [.release(ann, lease, nil)])
    }

    @Test("A lease that was taken for a mint that is over is given back.")
    func orphan() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let (call, look) = try cache.onlyLook()
        _ = cache.revoke(ann.user)
        _ = cache.fleetOrders()
        cache.answer(call, .go(FleetFence(7)))
        let nonce = try #require(look.claim?.nonce)
        #expect(cache.fleetOrders() == [.release(ann, FleetLease(nonce: nonce, fence: FleetFence(7)), nil)])
        #expect(cache.mints().isEmpty)
        #expect(cache.stats().tenants["main"]?.inFlight == 0)
    }

    @Test("A retry with a new secret keeps its lease, and is paid for.")
    func newSecret() throws {
        var (cache, call, lease) = try minting()
        cache.fail(call, .denied(ErrorReply.Upstream(status: 401), secretChanged: true))
        #expect(cache.fleetOrders() == [.pay(call, "main", reserve: 0)])
        cache.answer(call, .go(.none))
        #expect(try cache.onlyMint() == call)
        cache.succeed(call)
        guard case .store(ann, lease, _)? = cache.fleetOrders().last else {
            Issue.record("the token was not stored with the lease")
            return
        }
    }

    @Test("A token that was minted without a lease has the highest fence that was known when it was sent.")
    func withoutLease() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let first = try cache.onlyLook()
        cache.answer(first.call, .go(FleetFence(4_000)), time: 3_000)
        cache.succeed(try cache.onlyMint())
        cache.happen(.disconnected("main"))
        #expect(cache.ask(.of("bob")) == .wait)
        cache.succeed(try cache.onlyMint())
        let slot = try #require(cache.machine.store.find(.of("bob")))
        #expect(cache.machine.store.fence(of: slot) == FleetFence(4_000))
    }
}
