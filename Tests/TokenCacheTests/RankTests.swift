import OperatorReplies
import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("A call's rank follows from who waits for it")
struct RankTests {
    @Test("Mints whose callers are gone go after callers' calls, as if they had been prefetched.")
    func gone() {
        var cache = Simulation.withEmptyBucket()
        var waiters: [Waiter] = []
        for index in 0..<60 {
            waiters.append(cache.newWaiter())
            #expect(cache.ask(.of("user\(index)"), timeout: .seconds(100), peer: 1, as: waiters[index]) == .wait)
        }
        cache.cancelWaits(of: waiters)
        #expect(cache.stats().mints.queued.foreground == 0)
        #expect(cache.stats().mints.queued.ahead == 60)
        #expect(cache.ask(.of("next"), timeout: .seconds(2), peer: 1) == .wait)
        cache.advance(.seconds(2))
        #expect(cache.mints().map(\.key) == [.of("next"), .of("user0")])
    }

    @Test("A caller who comes back to such a mint makes it a caller's again.")
    func comesBack() {
        var cache = Simulation.withEmptyBucket()
        let waiter = cache.newWaiter()
        _ = cache.ask(.of("ann"), timeout: .seconds(100), as: waiter)
        cache.cancelWaits(of: [waiter])
        #expect(cache.prefetch([.of("other")], for: 7).queued == 1)
        #expect(cache.ask(.of("ann"), timeout: .seconds(2)) == .wait)
        #expect(cache.stats().mints.queued.foreground == 1)
        cache.advance(.seconds(1))
        #expect(cache.mints().map(\.key) == [.of("ann")])
    }

    @Test("Their number is limited like that of prefetches, so that coming and going doesn't evade the limits.")
    func bounded() {
        var cache = Simulation.withEmptyBucket()
        for index in 0..<(CacheStateMachine.maxPrefetches + 500) {
            let waiter = cache.newWaiter()
            guard case .wait = cache.ask(.of("user\(index)"), timeout: .seconds(300), as: waiter) else { continue }
            cache.cancelWaits(of: [waiter])
        }
        #expect(cache.stats().mints.queued.ahead == CacheStateMachine.maxPrefetches)
        #expect(cache.prefetch([.of("more")]).refused == 1)
    }

    @Test("A refresh that a caller waited for and left is a refresh again.")
    func refreshAgain() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 1, concurrent: 100)])
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(800))
        #expect(cache.ask(.of("first"), timeout: .seconds(60)) == .wait)
        #expect(cache.ask(.of("ann")).refreshes)
        let waiter = cache.newWaiter()
        #expect(cache.ask(.of("ann"), minTTL: .seconds(500), as: waiter) == .wait)
        #expect(cache.stats().tenants["main"]?.queued.refreshes == 0)
        cache.cancelWaits(of: [waiter])
        #expect(cache.stats().tenants["main"]?.queued.refreshes == 1)
    }

    @Test("A caller who joins another uid's queued mint is paced by the sooner of both positions.")
    func joinsSooner() {
        var cache = Simulation.withEmptyBucket()
        for index in 0..<150 { _ = cache.ask(.of("a\(index)"), timeout: .seconds(200), peer: 1) }
        #expect(cache.ask(.of("a149"), timeout: .milliseconds(2_001), peer: 2) == .wait)
        cache.advance(.seconds(2))
        #expect(cache.mints().map(\.key) == [.of("a0"), .of("a149")])
    }

    @Test("A refresh that is not wanted any more costs nothing of the refresh allowance.")
    func unwanted() throws {
        var policy = CachePolicy()
        policy.idleTTL = .seconds(100)
        var cache = Simulation(policy: policy, tenants: ["main": .test(rate: 100, burst: 100, concurrent: 200)])
        for index in 0..<40 { try cache.warm(.of("user\(index)"), lifetime: .seconds(1_000)) }
        cache.advance(.seconds(60))
        cache.suspend(.seconds(645))
        _ = cache.ask(.of("held"))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(120)))
        // Thirty are requested now and are idle when the hold ends, ten again just before.
        for index in 0..<30 { #expect(cache.ask(.of("user\(index)")).refreshes) }
        cache.suspend(.seconds(110))
        for index in 30..<40 { #expect(cache.ask(.of("user\(index)")).refreshes) }
        #expect(cache.ask(.of("caller"), timeout: .seconds(60)) == .wait)
        cache.advance(.seconds(25))
        let keys = cache.mints().map(\.key)
        #expect(Set(keys) == Set((30..<40).map { .of("user\($0)") } + [.of("caller")]))
    }

    @Test("A mint that nobody gets any more is not sent: its generation was raised, and its callers are gone.")
    func superseded() throws {
        var cache = Simulation.withEmptyBucket()
        let waiter = cache.newWaiter()
        _ = cache.ask(.of("ann"), timeout: .seconds(60), as: waiter)
        cache.evict(TokenKey.of("ann").user)
        cache.cancelWaits(of: [waiter])
        cache.advance(.seconds(60))
        #expect(cache.mints().isEmpty)
    }

    @Test("A 401 with a new secret doesn't retry the mint of a user who has logged out.")
    func newSecretAfterLogout() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"))
        let mint = try cache.onlyMint()
        _ = cache.revoke(TokenKey.of("ann").user)
        cache.fail(mint, .denied(ErrorReply.Upstream(status: 401), secretChanged: true))
        #expect(cache.mints().isEmpty)
        #expect(cache.stats().mints.inFlight == 0)
    }

    @Test("A mint after a report is charged once, however often it fails.")
    func reportPaidOnce() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 4, burst: 40)])
        try cache.warm(.of("ann"))
        #expect(cache.invalidate(.of("ann"), AccessToken("token-1").fingerprint) == .dropped)
        for _ in 0..<12 {
            #expect(cache.ask(.of("ann"), timeout: .seconds(300), peer: 1) == .wait)
            cache.fail(try cache.onlyMint(), .rejected("the tenant answered with status 409"))
            cache.suspend(.milliseconds(500))
        }
    }

    @Test("A refresh at its deadline takes every second turn among prefetches.")
    func refreshDeadline() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 2, concurrent: 100)])
        for name in ["ann", "bob"] { try cache.warm(.of(name), lifetime: .seconds(1_000)) }
        cache.suspend(.seconds(901))
        _ = cache.ask(.of("x"))
        _ = cache.ask(.of("y"))
        for mint in cache.mints() { cache.succeed(mint.call) }
        _ = cache.prefetch([.of("p"), .of("q")])
        #expect(cache.ask(.of("ann"), minTTL: .zero).refreshes)
        #expect(cache.ask(.of("bob"), minTTL: .zero).refreshes)
        cache.advance(.milliseconds(3_500))
        #expect(cache.mints().map(\.key) == [.of("ann"), .of("p"), .of("bob")])
    }
}
