import OperatorReplies
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Waits for other machines")
struct FleetYieldTests {
    private let ann = TokenKey.of("ann")

    /// Creates a cache in which a caller waits for another machine.
    private func yielding(left: Duration = .seconds(5)) throws -> (cache: Simulation, call: CallID) {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        #expect(cache.answer(call, .wait(left)) == [])
        #expect(cache.fleetOrders() == [])
        #expect(cache.stats().tenants["main"]?.inFlight == 0)
        return (cache, call)
    }

    @Test("When the other machine has stored the token, it is looked up, and counted as a mint that was left to it.")
    func stored() throws {
        var (cache, call) = try yielding()
        cache.happen(.changed(ann))
        let look = try cache.onlyLook()
        #expect(look.call == call)
        #expect(look.look.claim == nil)
        let reply = cache.answer(call, .found(cache.stored("theirs", fence: 9))).first?.reply
        #expect(reply?.token?.source == .fleet)
        #expect(cache.stats().fleet?.leftToOthers == 1)
        #expect(cache.stats().fleet?.hits == 1)
        #expect(cache.machine.fleet.isIdle)
    }

    @Test("When the other machine has given up, the mint is claimed.")
    func givenUp() throws {
        var (cache, call) = try yielding()
        cache.happen(.changed(ann))
        let look = try cache.onlyLook()
        cache.answer(look.call, .nothing)
        let claim = try cache.onlyLook()
        #expect(claim.call == call)
        #expect(claim.look.claim != nil)
    }

    @Test("When the other machine's lease has ended, the mint is claimed.")
    func leaseEnds() throws {
        var (cache, call) = try yielding()
        cache.advance(.seconds(5))
        let claim = try cache.onlyLook()
        #expect(claim.call == call)
        #expect(claim.look.claim != nil)
    }

    @Test("A lease that is longer than any is doesn't stop a mint for longer than another machine's mint takes.")
    func endlessLease() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann, timeout: .seconds(60)) == .wait)
        for _ in 0..<4 {
            let (call, _) = try cache.onlyLook()
            cache.answer(call, .wait(.seconds(86_400)))
            #expect(cache.fleetOrders() == [])
            cache.advance(.seconds(4))
        }
        let (call, _) = try cache.onlyLook()
        cache.answer(call, .wait(.seconds(86_400)))
        #expect(try cache.onlyMint() == call)
    }

    @Test("When the second level doesn't answer any more, the mint is sent.")
    func disconnected() throws {
        var (cache, call) = try yielding()
        cache.happen(.disconnected("main"))
        #expect(try cache.onlyMint() == call)
        #expect(cache.fleetOrders() == [])
    }

    @Test("A token that is stored while a look is under way is not missed.")
    func overtaken() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        cache.happen(.changed(ann))
        #expect(cache.fleetOrders() == [])
        cache.answer(call, .wait(.seconds(5)))
        let again = try cache.onlyLook()
        #expect(again.look.claim == nil)
        #expect(cache.answer(call, .found(cache.stored("theirs", fence: 9))).count == 1)
    }

    @Test("A queued mint yields, too, and frees its place in the queue.")
    func queued() throws {
        var cache = Simulation.inFleet(.test(rate: 60, burst: 1))
        #expect(cache.ask(.of("first")) == .wait)
        let first = try cache.onlyLook()
        cache.answer(first.call, .go(FleetFence(1)), level: 0)
        #expect(cache.ask(ann) == .wait)
        let look = try cache.onlyLook()
        cache.answer(look.call, .wait(.seconds(5)), level: 0)
        #expect(cache.stats().tenants["main"]?.queued.callers == 0)
    }

    @Test("A caller who waits for another machine waits no longer than its own timeout.")
    func timeout() throws {
        var (cache, _) = try yielding(left: .seconds(60))
        #expect(cache.advance(.seconds(10)).first?.reply.error?.code == .timeout)
    }

    @Test("A mint whose caller logs the user out while it waits is over.")
    func logout() throws {
        var (cache, _) = try yielding()
        #expect(cache.revoke(ann.user) == nil)
        #expect(cache.machine.calls.count == 0)
        #expect(cache.machine.fleet.nextTime == nil)
    }
}
