import OperatorReplies
import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("News of other machines")
struct FleetNewsTests {
    private let ann = TokenKey.of("ann")

    private func logout(_ revoked: [Fingerprint] = [], fence: Int64) -> FleetEvent {
        .dropped(FleetDrop(.user(ann.user, nil), .logout(revoked: revoked)), fence: FleetFence(fence))
    }

    @Test("A logout elsewhere drops the token and revokes it two seconds later, if no other machine does.")
    func logout() throws {
        var cache = Simulation.inFleet()
        let fingerprint = try cache.warmInFleet(ann, fence: 5)
        cache.happen(logout(fence: 6))
        #expect(cache.machine.store.find(ann) == nil)
        cache.advance(FleetDrops.claimPause - .nanoseconds(1))
        #expect(cache.fleetOrders() == [])
        cache.advance(.nanoseconds(1))
        let orders = cache.fleetOrders()
        guard case .claimRevocation(let claim, "main", fingerprint)? = orders.first, orders.count == 1 else {
            throw Simulation.Unexpected(orders: orders)
        }
        cache.answerClaim(claim, true)
        guard case .pay(let call, "main", _)? = cache.fleetOrders().first else {
            Issue.record("the revocation is not paid for")
            return
        }
        cache.answer(call, .go(.none))
        #expect(cache.revocations() == [call])
    }

    @Test("A token that the sender or another machine revokes is only dropped.")
    func revokedElsewhere() throws {
        var cache = Simulation.inFleet()
        let fingerprint = try cache.warmInFleet(ann, fence: 5)
        cache.happen(logout([fingerprint], fence: 6))
        #expect(cache.machine.store.find(ann) == nil)
        #expect(cache.fleetOrders() == [])
        try cache.warmInFleet(ann, fence: 7)
        cache.happen(logout(fence: 8))
        cache.advance(FleetDrops.claimPause)
        guard case .claimRevocation(let claim, _, _)? = cache.fleetOrders().first else {
            Issue.record("nobody asks who revokes the token")
            return
        }
        cache.answerClaim(claim, false)
        #expect(cache.fleetOrders() == [])
        #expect(cache.machine.fleet.isIdle)
    }

    @Test("If the second level is away by then, the token is revoked all the same.")
    func revokedAlone() throws {
        var cache = Simulation.inFleet()
        try cache.warmInFleet(ann, fence: 5)
        cache.happen(logout(fence: 6))
        cache.happen(.disconnected("main"))
        cache.advance(FleetDrops.claimPause)
        #expect(cache.fleetOrders() == [])
        #expect(cache.revocations().count == 1)
        #expect(cache.machine.fleet.isIdle)
    }

    @Test("A token that was found just before a logout elsewhere, and is told after it, is served to nobody.")
    func overtaken() throws {
        for reason in [FleetDrop.Reason.logout(revoked: []), .eviction] {
            var cache = Simulation.inFleet()
            #expect(cache.ask(ann) == .wait)
            let (call, _) = try cache.onlyLook()
            cache.happen(.dropped(FleetDrop(.user(ann.user, nil), reason), fence: FleetFence(901)))
            let served = cache.answer(call, .found(cache.stored("theirs", fence: 900)))
            if reason != .eviction { #expect(served.allSatisfy { $0.reply.token == nil }) }
            #expect(cache.machine.store.find(ann) == nil)
            #expect(cache.ask(ann) == .wait, "a later request has it looked up again")
        }
    }

    @Test("An old event leaves a token alone that was minted after it, and can be read again.")
    func old() throws {
        var cache = Simulation.inFleet()
        try cache.warmInFleet(ann, fence: 5)
        cache.happen(logout(fence: 4))
        cache.happen(.dropped(FleetDrop(.tenant("main"), .eviction), fence: FleetFence(4)))
        #expect(cache.ask(ann).served != nil)
    }

    @Test("No token outlives a later logout because the engine's clock was ahead for a moment.")
    func clockAhead() throws {
        var cache = Simulation.inFleet()
        cache.happen(.limits("main", FleetLimits(level: 80, time: FleetFence(9_000))))
        cache.happen(.disconnected("main"))
        #expect(cache.ask(ann) == .wait)
        cache.succeed(try cache.onlyMint())
        cache.connect()
        cache.happen(logout(fence: 5_000))
        #expect(cache.machine.store.find(ann) == nil)
    }

    @Test("A logout elsewhere ends the mints that began before it, and their tokens are revoked.")
    func mintUnderWay() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let look = try cache.onlyLook()
        cache.answer(look.call, .go(FleetFence(5)))
        let mint = try cache.onlyMint()
        #expect(cache.happen(logout(fence: 6)).first?.reply == .error(.revokedMeanwhile))
        cache.succeed(mint)
        #expect(cache.machine.store.find(ann) == nil)
        let orders = cache.fleetOrders()
        guard case .release(ann, _, nil)? = orders.first, case .pay(_, "main", _)? = orders.last else {
            throw Simulation.Unexpected(orders: orders)
        }
    }

    @Test("A mint that began after a drop goes on.")
    func laterMint() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let look = try cache.onlyLook()
        cache.answer(look.call, .go(FleetFence(7)))
        #expect(cache.happen(logout(fence: 6)) == [])
        #expect(cache.succeed(try cache.onlyMint()).first?.reply.token != nil)
        #expect(cache.ask(ann).served != nil)
    }

    @Test("An eviction elsewhere drops the entries of its scopes, and supersedes mints.")
    func eviction() throws {
        var cache = Simulation.inFleet()
        let other = TokenKey.of("ann", scope: "other")
        try cache.warmInFleet(ann, fence: 5)
        try cache.warmInFleet(other, fence: 6)
        cache.happen(.dropped(FleetDrop(.user(ann.user, ann.scopes), .eviction), fence: FleetFence(7)))
        #expect(cache.machine.store.find(ann) == nil)
        #expect(cache.machine.store.find(other) != nil)
        #expect(cache.fleetOrders() == [])
    }

    @Test("A reported token is dropped, and a newer one stays.")
    func reported() throws {
        var cache = Simulation.inFleet()
        let fingerprint = try cache.warmInFleet(ann, fence: 5)
        let other = AccessToken("other").fingerprint
        cache.happen(.dropped(FleetDrop(.reported(ann, other), .eviction), fence: FleetFence(9)))
        #expect(cache.machine.store.find(ann) != nil)
        cache.happen(.dropped(FleetDrop(.reported(ann, fingerprint), .eviction), fence: FleetFence(9)))
        #expect(cache.machine.store.find(ann) == nil)
    }

    @Test("A flush elsewhere drops all that there is.")
    func flush() throws {
        var cache = Simulation.inFleet()
        try cache.warmInFleet(ann, fence: 5)
        try cache.warmInFleet(.of("bob"), fence: 6)
        cache.happen(.dropped(FleetDrop(.tenant("main"), .eviction), fence: FleetFence(6)))
        #expect(cache.stats().entries == 0)
    }

    @Test("A late flush drops only what was there, in slices, and supersedes the mints that began before.")
    func lateFlush() throws {
        var cache = Simulation.inFleet()
        try cache.warmInFleet(ann, fence: 5)
        try cache.warmInFleet(.of("bob"), fence: 9)
        cache.happen(.dropped(FleetDrop(.tenant("main"), .eviction), fence: FleetFence(6)))
        #expect(cache.machine.store.find(ann) == nil)
        #expect(cache.machine.store.find(.of("bob")) != nil)
    }
}
