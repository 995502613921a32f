import OperatorReplies
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Entries that lost events may concern")
struct FleetVerificationTests {
    private let ann = TokenKey.of("ann")

    /// Creates a cache with a token that a lost event may concern.
    private func suspecting() throws -> Simulation {
        var cache = Simulation.inFleet()
        try cache.warmInFleet(ann, fence: 5)
        cache.happen(.eventsLost("main", upTo: FleetFence(10)))
        return cache
    }

    private func hits(_ cache: inout Simulation) -> Bool {
        var output = OutputBuffer()
        let (user, scopes) = (ann.user.user, ann.scopes)
        let now = cache.now
        var isHit = false
        cache.fleet { machine, _ in
            isHit = machine.answerHit(
                "main",
                user.field,
                user.value.span,
                scopes,
                minTTL: nil,
                for: 7,
                at: machine.time(of: now),
                id: [UInt8]().span,
                into: &output
            )
            return machine.timePassed(now: now)
        }
        return isHit
    }

    @Test("It is looked up before it is served, and is a hit again when it was found.")
    func verified() throws {
        var cache = try suspecting()
        #expect(!hits(&cache))
        #expect(cache.ask(ann) == .wait)
        let (call, look) = try cache.onlyLook()
        #expect(look.newerThan == nil)
        let found = cache.answer(call, .found(cache.stored("token-1", fence: 5)), time: 11)
        #expect(found.first?.reply.token?.source == .fleet)
        #expect(hits(&cache))
    }

    @Test("A token that was found again is dropped by later logouts, though the engine's clock was ahead for a moment.")
    func clockAhead() throws {
        var cache = Simulation.inFleet()
        try cache.warmInFleet(ann, fence: 5)
        cache.happen(.eventsLost("main", upTo: FleetFence(9_000)))
        #expect(cache.ask(ann) == .wait)
        cache.answer(try cache.onlyLook().call, .found(cache.stored("token-1", fence: 5)))
        #expect(hits(&cache))
        let logout = FleetDrop(.user(ann.user, nil), .logout(revoked: []))
        cache.happen(.dropped(logout, fence: FleetFence(5_000)))
        #expect(cache.machine.store.find(ann) == nil)
    }

    @Test("If the second level doesn't have it, it is minted anew.")
    func dropped() throws {
        var cache = try suspecting()
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        cache.answer(call, .go(FleetFence(12)), time: 12)
        cache.succeed(try cache.onlyMint())
        #expect(hits(&cache))
    }

    @Test("If the second level doesn't answer, it is served as it is.")
    func unavailable() throws {
        var cache = try suspecting()
        #expect(cache.ask(ann) == .wait)
        let (call, _) = try cache.onlyLook()
        let reply = cache.answer(call, .unavailable, level: nil).first?.reply.token
        #expect(reply?.source == .cache)
        #expect(cache.mints().isEmpty)
        cache.happen(.disconnected("main"))
        #expect(cache.ask(ann).served?.source == .cache)
    }

    @Test("Later tokens are hits, and the suspicion ends when the last token has expired that it may concern.")
    func others() throws {
        var cache = try suspecting()
        #expect(cache.machine.store.hasRestrictions)
        cache.suspend(TokenLife.maxLifetime)
        cache.timePassed()
        #expect(!cache.machine.store.hasRestrictions)
    }

    @Test("An explanation says that it is looked up.")
    func explained() throws {
        let cache = try suspecting()
        let explained = cache.machine.explain(ann, for: 7, now: cache.now)
        #expect(explained.reason.contains("news of dropped tokens was lost"))
        #expect(explained.fleet?.step == .verification)
    }
}
