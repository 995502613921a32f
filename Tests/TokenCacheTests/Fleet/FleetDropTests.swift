import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Drops that all machines make")
struct FleetDropTests {
    private let ann = TokenKey.of("ann")

    @Test("A logout waits for the second level, revokes the tokens that only that had, and is answered then.")
    func logout() throws {
        var cache = Simulation.inFleet()
        #expect(cache.revoke(ann.user) == nil)
        let (id, drop) = try cache.onlyDrop()
        #expect(drop == FleetDrop(.user(ann.user, nil), .logout(revoked: [])))
        let stored = FleetStoredToken(key: ann, token: cache.stored("theirs", fence: 9))
        let answer = FleetDropAnswer(fence: FleetFence(10), epoch: "one", tokens: [stored])
        #expect(cache.answerDrop(id, answer) == [])
        let orders = cache.fleetOrders()
        guard case .claimRevocation(_, "main", stored.token.token.fingerprint)? = orders.first,
            case .pay(let call, "main", reserve: 0)? = orders.last, orders.count == 2
        else { throw Simulation.Unexpected(orders: orders) }
        cache.answer(call, .go(.none))
        #expect(cache.revocations() == [call])
        #expect(cache.endRevocation(call, .accepted).first?.reply == .revoked(true, upstream: true))
    }

    @Test("A logout names the tokens that it revokes itself, and is answered if the second level doesn't.")
    func unanswered() throws {
        var cache = Simulation.inFleet()
        let fingerprint = try cache.warmInFleet(ann, fence: 5)
        #expect(cache.revoke(ann.user) == nil)
        let orders = cache.fleetOrders()
        guard case .drop(let id, let drop)? = orders.first, case .pay(let call, _, _)? = orders.last else {
            throw Simulation.Unexpected(orders: orders)
        }
        #expect(drop.reason == .logout(revoked: [fingerprint]))
        cache.answer(call, .unavailable, level: nil)
        #expect(cache.endRevocation(try #require(cache.revocations().first), .accepted) == [])
        #expect(cache.answerDrop(id, nil).first?.reply == .revoked(true, upstream: true))
    }

    @Test("A logout of a user of whom nobody has a token is answered with the second level's answer.")
    func nothing() throws {
        var cache = Simulation.inFleet()
        #expect(cache.revoke(ann.user) == nil)
        let (id, _) = try cache.onlyDrop()
        let answer = FleetDropAnswer(fence: FleetFence(10), epoch: "one")
        #expect(cache.answerDrop(id, answer).first?.reply == .revoked(false, upstream: nil))
    }

    @Test("Evictions and flushes are told, for each tenant.")
    func operators() throws {
        var cache = Simulation.inFleet()
        cache.evict(ann.user, scopes: ann.scopes)
        #expect(try cache.onlyDrop().drop == FleetDrop(.user(ann.user, ann.scopes), .eviction))
        #expect(cache.flush() == 0)
        #expect(try cache.onlyDrop().drop == FleetDrop(.tenant("main"), .eviction))
    }

    @Test("Drops are made while the second level is away, and told when it is back.")
    func away() throws {
        var cache = Simulation.inFleet()
        cache.happen(.disconnected("main"))
        #expect(cache.revoke(ann.user) == .revoked(false, upstream: nil))
        #expect(cache.fleetOrders() == [])
        cache.connect()
        #expect(try cache.onlyDrop().drop == FleetDrop(.user(ann.user, nil), .logout(revoked: [])))
    }

    @Test("A drop that one process of the engine has noted is repeated to the next one, with its fence.")
    func failover() throws {
        var cache = Simulation.inFleet()
        cache.evict(ann.user)
        let (id, drop) = try cache.onlyDrop()
        cache.answerDrop(id, FleetDropAnswer(fence: FleetFence(10), epoch: "one"))
        cache.connect("one")
        #expect(cache.fleetOrders() == [])
        cache.connect("two")
        let repeated = try cache.onlyDrop()
        #expect(repeated.id == id)
        #expect(repeated.drop == FleetDrop(drop.target, drop.reason, fence: FleetFence(10)))
    }

    @Test("A drop that was not answered is repeated a second later. Until then no token of its user is taken.")
    func lost() throws {
        var cache = Simulation.inFleet()
        cache.evict(ann.user)
        let (id, drop) = try cache.onlyDrop()
        cache.answerDrop(id, nil)
        #expect(cache.ask(ann, timeout: .seconds(60)) == .wait)
        let look = try cache.onlyLook()
        #expect(cache.answer(look.call, .found(cache.stored("dropped", fence: 9))) == [])
        #expect(cache.fleetOrders() == [.pay(look.call, "main", reserve: 0)])
        cache.answer(look.call, .go(.none))
        #expect(try cache.onlyMint() == look.call)
        cache.advance(.seconds(1))
        #expect(try cache.onlyDrop().drop == drop)
    }

    @Test("A drop of an earlier connection whose failure shows only after the next one is repeated at once.")
    func lateFailure() throws {
        var cache = Simulation.inFleet()
        cache.evict(ann.user)
        let (id, drop) = try cache.onlyDrop()
        cache.happen(.disconnected("main"))
        cache.connect()
        #expect(cache.fleetOrders() == [])
        cache.answerDrop(id, nil)
        #expect(try cache.onlyDrop().drop == drop)
    }

    @Test("A token that is reported while it is looked up is served to nobody.")
    func reportDuringLook() throws {
        var cache = Simulation.inFleet()
        #expect(cache.ask(ann) == .wait)
        let look = try cache.onlyLook()
        let token = cache.stored("theirs", fence: 9)
        #expect(cache.invalidate(ann, token.token.fingerprint) == .unknown)
        #expect(try cache.onlyDrop().drop == FleetDrop(.reported(ann, token.token.fingerprint), .eviction))
        #expect(cache.answer(look.call, .found(token)) == [])
        #expect(cache.machine.store.find(ann) == nil)
    }

    @Test("A report of a token that this machine doesn't have is told and not repeated.")
    func unknownReport() throws {
        var cache = Simulation.inFleet()
        let fingerprint = AccessToken("theirs").fingerprint
        #expect(cache.invalidate(ann, fingerprint) == .unknown)
        let (id, drop) = try cache.onlyDrop()
        #expect(drop == FleetDrop(.reported(ann, fingerprint), .eviction))
        cache.answerDrop(id, nil)
        cache.connect("two")
        cache.advance(.seconds(5))
        #expect(cache.fleetOrders() == [])
    }

    @Test("A logout and a login while the second level is away: the login's token stays when it is back.")
    func loginWhileAway() throws {
        var cache = Simulation.inFleet()
        cache.happen(.disconnected("main"))
        #expect(cache.revoke(ann.user) == .revoked(false, upstream: nil))
        #expect(cache.ask(ann) == .wait)
        cache.succeed(try cache.onlyMint())
        cache.connect()
        guard case .drop(let id, _)? = cache.fleetOrders().last else {
            Issue.record("the logout is not told")
            return
        }
        cache.answerDrop(id, FleetDropAnswer(fence: FleetFence(10), epoch: "one"))
        #expect(cache.ask(ann).served != nil)
    }

    @Test("A login's token that a repeated logout takes out of the second level is revoked by nobody.")
    func laterLogin() throws {
        var cache = Simulation.inFleet()
        #expect(cache.revoke(ann.user) == nil)
        // The engine has noted it, and the answer is lost.
        cache.answerDrop(try cache.onlyDrop().id, nil)
        let fingerprint = try cache.warmInFleet(ann, fence: 10)
        cache.advance(.seconds(1))
        let slot = try #require(cache.machine.store.find(ann))
        let own = FleetToken(
            token: cache.machine.store.token(of: slot),
            lifetime: .seconds(21_600),
            expiry: cache.now + .seconds(20_000),
            fence: FleetFence(10)
        )
        let tokens = [FleetStoredToken(key: ann, token: own)]
        let answer = FleetDropAnswer(fence: FleetFence(11), epoch: "one", tokens: tokens)
        cache.answerDrop(try cache.onlyDrop().id, answer)
        let orders = cache.fleetOrders()
        guard case .claimRevocation(_, "main", fingerprint)? = orders.first, orders.count == 1 else {
            throw Simulation.Unexpected(orders: orders)
        }
        #expect(cache.ask(ann).served != nil)
    }

    @Test("All drops are repeated to an engine that was emptied, also one whose answer comes from before.")
    func emptied() throws {
        var cache = Simulation.inFleet()
        cache.evict(ann.user)
        let (first, _) = try cache.onlyDrop()
        cache.answerDrop(first, FleetDropAnswer(fence: FleetFence(10), epoch: "one"))
        cache.evict(ann.user, scopes: ann.scopes)
        let (second, _) = try cache.onlyDrop()
        cache.happen(.emptied("main"))
        #expect(try cache.onlyDrop().id == first)
        cache.answerDrop(second, FleetDropAnswer(fence: FleetFence(11), epoch: "one"))
        #expect(try cache.onlyDrop().id == second)
        cache.answerDrop(first, FleetDropAnswer(fence: FleetFence(10), epoch: "one"))
        cache.answerDrop(second, FleetDropAnswer(fence: FleetFence(11), epoch: "one"))
        cache.connect("one")
        #expect(cache.fleetOrders() == [])
    }

    @Test("Drops that are repeated go in portions, the latest first, and the oldest of too many are forgotten.")
    func many() {
        var drops = FleetDrops()
        let now = Simulation.start
        for number in 0..<UInt64(FleetDrops.maxRemembered + 100) {
            drops.add(FleetDropID(number), FleetDrop(.user(ann.user, nil), .eviction), isSent: false, now: now)
        }
        #expect(drops.count == FleetDrops.maxRemembered)
        var taken: [FleetDropID] = []
        while let next = drops.takeNext(for: "one") { taken.append(next.id) }
        let latest = UInt64(FleetDrops.maxRemembered + 99)
        #expect(taken == (0..<64).map { FleetDropID(latest - $0) })
        for id in taken { _ = drops.noted(id, FleetFence(1), epoch: "one", wasRepeated: true) }
        #expect(drops.takeNext(for: "one")?.id == FleetDropID(latest - 64))
        #expect(drops.concerns(ann.user))
    }
}
