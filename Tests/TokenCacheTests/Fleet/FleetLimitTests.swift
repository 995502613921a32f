import OperatorReplies
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Limits that machines share")
struct FleetLimitTests {
    private let ann = TokenKey.of("ann")

    @Test("A call that the fleet's bucket doesn't allow is claimed again when it does, before later ones.")
    func later() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 2))
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        cache.answer(call, .later(.milliseconds(800)), level: 0.2)
        #expect(cache.ask(.of("bob")) == .wait)
        #expect(try cache.onlyLook().look.key == .of("bob"))
        cache.advance(.milliseconds(799))
        #expect(cache.fleetOrders() == [])
        cache.advance(.milliseconds(1))
        let claim = try cache.onlyLook()
        #expect(claim.call == call)
        #expect(claim.look.claim != nil)
    }

    @Test("The level of the fleet's bucket replaces this machine's.")
    func mirror() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 10))
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        cache.answer(call, .go(FleetFence(1)), level: 3)
        #expect(cache.stats().tenants["main"]?.rateTokens == 3)
    }

    @Test("Calls that are being claimed are not in the level of an answer yet.")
    func claimsUnderWay() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 10))
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        #expect(cache.ask(.of("bob")) == .wait)
        cache.answer(call, .go(FleetFence(1)), level: 3)
        #expect(cache.stats().tenants["main"]?.rateTokens == 2)
    }

    @Test("A hold of another machine holds this one, is told to operators once, and ends when an operator ends it.")
    func hold() throws {
        var cache = Simulation.inFleet()
        cache.happen(.holdChanged("main"))
        #expect(cache.fleetOrders() == [.state("main")])
        let hold = FleetLimits.Hold(left: .seconds(60), cause: .throttled)
        cache.happen(.limits("main", FleetLimits(level: 80, hold: hold, time: FleetFence(1))))
        cache.happen(.limits("main", FleetLimits(level: 80, hold: hold, time: FleetFence(2))))
        #expect(cache.takeNotices() == [.held(.tokens, "main", .seconds(60))])
        #expect(cache.stats().tenants["main"]?.hold == 60)
        cache.happen(.limits("main", FleetLimits(level: 80, time: FleetFence(3))))
        #expect(cache.stats().tenants["main"]?.hold == nil)
    }

    @Test("A 429 holds the other machines, too, and so does its end by an operator.")
    func shareHold() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let (call, look) = try cache.onlyLook()
        cache.answer(call, .go(FleetFence(5)))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(20)))
        let lease = FleetLease(nonce: try #require(look.claim?.nonce), fence: FleetFence(5))
        #expect(cache.fleetOrders() == [.hold("main", .seconds(21), .throttled), .release(ann, lease, nil)])
        #expect(cache.releaseHolds(for: 0) == 1)
        #expect(cache.fleetOrders() == [.hold("main", nil, .throttled)])
    }

    @Test("A state of the limits that was read before a machine's own hold doesn't end it.")
    func freshHold() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        cache.answer(try cache.onlyLook().call, .go(FleetFence(5)))
        let mint = try cache.onlyMint()
        cache.happen(.holdChanged("main"))
        cache.fail(mint, .throttled(retryAfter: .seconds(20)))
        cache.happen(.limits("main", FleetLimits(level: 80, time: FleetFence(3))))
        #expect(cache.stats().tenants["main"]?.hold == 21)
        cache.happen(.holdChanged("main"))
        cache.happen(.limits("main", FleetLimits(level: 80, time: FleetFence(4))))
        #expect(cache.stats().tenants["main"]?.hold == nil)
    }

    @Test("A hold that begins while the second level is away is told when it is back, which doesn't end it.")
    func holdOfOutage() throws {
        var cache = Simulation.inFleet()
        cache.happen(.disconnected("main"))
        #expect(cache.ask(ann) == .wait)
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(20)))
        #expect(cache.fleetOrders() == [])
        cache.connect()
        cache.happen(.limits("main", FleetLimits(level: 80, time: FleetFence(3))))
        #expect(cache.fleetOrders().contains(.hold("main", .seconds(21), .throttled)))
        #expect(cache.stats().tenants["main"]?.hold == 21)
        cache.happen(.disconnected("main"))
        cache.connect("two")
        #expect(cache.fleetOrders() == [.hold("main", .seconds(21), .throttled)])
    }

    @Test("While the second level doesn't answer, the rate and the burst are divided among the machines.")
    func share() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 10, concurrent: 100), machines: 5)
        cache.happen(.disconnected("main"))
        for number in 0..<10 { #expect(cache.ask(.of("user-\(number)"), timeout: .seconds(120)) == .wait) }
        #expect(cache.mints().count == 2)
        cache.advance(.seconds(5))
        #expect(cache.mints().count == 1)
        cache.happen(.machines(1))
        cache.advance(.seconds(5))
        #expect(cache.mints().count == 5)
    }

    @Test("The last calls that were made while the second level was away are paid for when it is back.")
    func latePayment() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 10, concurrent: 100), machines: 2)
        cache.happen(.disconnected("main"))
        for name in ["ann", "ben", "cid"] { #expect(cache.ask(.of(name)) == .wait) }
        #expect(cache.mints().count == 3)
        // Half of the rate is two calls in four seconds.
        cache.advance(.seconds(4))
        cache.connect()
        let payments = cache.fleetOrders().filter { if case .pay = $0 { true } else { false } }
        #expect(payments.count == 1)
        cache.connect("two")
        #expect(cache.fleetOrders() == [])
    }

    @Test("A hold in the engine holds no longer than a tenant's own could.")
    func longHold() throws {
        var cache = Simulation.inFleet()
        let hold = FleetLimits.Hold(left: .seconds(3_000_000_000), cause: .throttled)
        cache.happen(.limits("main", FleetLimits(level: 80, hold: hold, time: FleetFence(1_000))))
        let hour = cache.now + .seconds(3_600)
        let held = try #require(cache.machine.tenants["main"]?.governor.currentHold(at: cache.now)?.until)
        #expect(held > hour && held < hour + .seconds(361))
    }

    @Test("A bucket that others have emptied before the second level was away is not paid for again.")
    func othersCalls() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 10), machines: 2)
        #expect(cache.ask(ann) == .wait)
        cache.answer(try cache.onlyLook().call, .go(FleetFence(1)), level: 0)
        cache.happen(.disconnected("main"))
        cache.connect()
        #expect(cache.fleetOrders() == [])
    }

    @Test("Many calls of an outage are paid for with a limited number of orders.")
    func manyLatePayments() throws {
        let count = UnpaidCalls.maxPayments + 10
        var cache = Simulation.inFleet(.test(rate: 1_000_000, burst: 1_000_000, concurrent: 2 * count), machines: 2)
        cache.happen(.disconnected("main"))
        for number in 0..<count { #expect(cache.ask(.of("user-\(number)")) == .wait) }
        #expect(cache.mints().count == count)
        cache.connect()
        let payments = cache.fleetOrders().filter { if case .pay = $0 { true } else { false } }
        #expect(payments.count == UnpaidCalls.maxPayments)
    }

    @Test("Switching the fleet off gives the whole rate back.")
    func off() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 10, concurrent: 100), machines: 5)
        #expect(cache.ask(ann) == .wait)
        let look = try cache.onlyLook()
        cache.answer(look.call, .wait(.seconds(5)), level: 10)
        cache.fleet { $0.setFleet(nil, now: $1) }
        #expect(try cache.onlyMint() == look.call)
        for number in 0..<20 { _ = cache.ask(.of("user-\(number)"), timeout: .seconds(120)) }
        #expect(cache.mints().count == 9)
    }

    @Test("A mint of a round leaves half of the burst to callers of all machines.")
    func round() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 10))
        cache.beginRound(["ann"])
        cache.advance(.seconds(600))
        let (call, look) = try cache.onlyLook()
        #expect(look.claim?.reserve == 5)
        cache.answer(call, .later(.seconds(2)), level: 4)
        #expect(cache.stats().tenants["main"]?.rateTokens == 4)
        #expect(cache.ask(.of("bob")) == .wait)
        #expect(try cache.onlyLook().look.claim?.reserve == 0)
    }
}
