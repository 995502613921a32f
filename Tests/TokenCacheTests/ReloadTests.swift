import OperatorReplies
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Reloads")
struct ReloadTests {
    @Test("A tenant that is removed and added again is a new one: it starts with nothing.")
    func comesBack() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 1)])
        _ = cache.ask(.of("ann"))
        let old = try cache.onlyMint()
        _ = cache.ask(.of("bob"))
        #expect(cache.reconfigure(tenants: ["other": .test()]).map(\.reply.error?.code) == [.unknownTenant])
        let back = TenantID(number: 9, name: "main")
        cache.reconfigure(tenants: [back: .test(concurrent: 1), "other": .test()])
        #expect(cache.ask(.of("ann", tenant: back)) == .wait)
        let new = try cache.onlyMint()
        #expect(cache.succeed(old).map(\.waiter.ticket) == [1])
        #expect(cache.stats().tenants["main"]?.inFlight == 1)
        #expect(cache.ask(.of("bob", tenant: back)) == .wait, "one at a time")
        #expect(cache.mints().isEmpty)
        cache.succeed(new)
        for mint in cache.mints() { cache.succeed(mint.call) }
        let stats = cache.stats()
        #expect(stats.tenants["main"]?.inFlight == 0)
        #expect(stats.mints.inFlight == 0)
        #expect(stats.uids.values.allSatisfy { $0.waiting == 0 })
        #expect(cache.machine.tenants.count == 2, "nothing is left of the old one")
    }

    @Test("Callers whose mint is queued when their tenant moves to another host are told to ask again.")
    func moved() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 1)])
        for name in ["ann", "bob"] { _ = cache.ask(.of(name)) }
        let mint = try cache.onlyMint()
        let moved = TenantID(number: 9, name: "main")
        let replies = cache.reconfigure(tenants: [moved: .test(host: "https://two.example")])
        #expect(replies.map(\.reply.error?.code) == [.unavailable])
        #expect(replies.map(\.reply.error?.retryAfter) == [1])
        #expect(cache.succeed(mint).count == 1)
        #expect(cache.ask(.of("ann", tenant: moved)) == .wait, "the old host's token is not cached")
    }

    @Test("Callers who can't be served in time at a lower rate are told at once.")
    func slower() {
        var cache = Simulation(tenants: ["main": .test(rate: 600, burst: 1)])
        for index in 0..<5 { #expect(cache.ask(.of("user\(index)"), timeout: .milliseconds(2_500)) == .wait) }
        let replies = cache.reconfigure(tenants: ["main": .test(rate: 60, burst: 1)])
        #expect(replies.map(\.reply.error?.code) == [.rateLimited, .rateLimited])
        #expect(cache.advance(.milliseconds(1_900)).isEmpty)
    }

    @Test("A logout that is given up for its last revocation delays no caller by the others.")
    func givenUpLogout() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 3)])
        for scope in ["a", "b"] { try cache.warm(.of("ann", scope: scope), peer: 9) }
        #expect(cache.ask(.of("first"), peer: 9) == .wait)
        #expect(cache.mints().count == 1)
        #expect(cache.revoke(TokenKey.of("ann").user, peer: 1) == nil)
        #expect(cache.ask(.of("bob"), peer: 1) == .wait)
        #expect(cache.ask(.of("eve"), timeout: .seconds(300), peer: 2) == .wait)
        #expect(cache.advance(.milliseconds(500)).isEmpty)
        // Now a revocation could be sent in 5 s, a mint for the other uid in 15 s, and the second revocation in 25 s.
        let replies = cache.reconfigure(tenants: ["main": .test(rate: 6, burst: 3)])
        #expect(replies.map(\.reply) == [.revoked(true, upstream: false)])
        cache.advance(.milliseconds(5_100))
        #expect(cache.mints().map(\.key) == [.of("bob")])
    }

    @Test("A reload that doesn't change lives recomputes none.")
    func unchanged() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"))
        var policy = CachePolicy()
        policy.idleTTL = .seconds(60)
        policy.maxEntries = 10
        let before = cache.machine.store.policyNumber
        cache.reconfigure(policy: policy)
        #expect(cache.machine.store.policyNumber == before)
        policy.ahead = 0.5
        cache.reconfigure(policy: policy)
        #expect(cache.machine.store.policyNumber == before + 1)
    }

    @Test("A registry gives the same tenant the same identity, and any other tenant a new one.")
    func registry() {
        var registry = TenantRegistry()
        let (one, two) = (TenantPolicy.test().identity, TenantPolicy.test(host: "https://two.example").identity)
        let first = registry.identify(["a": one, "b": one])
        #expect(first["a"] != first["b"])
        #expect(registry.identify(["a": one, "b": two])["a"] == first["a"])
        let moved = registry.identify(["a": two])
        #expect(moved["a"] != first["a"])
        #expect(!Set(first.values).contains(registry.identify(["a": one])["a"] ?? "none"), "no number is given twice")
    }
}
