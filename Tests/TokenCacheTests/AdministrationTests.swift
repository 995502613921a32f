import Secrets
import Testing
import TokenCache
import TokenProtocol

@Suite("Reports, logouts, evictions, reloads")
struct AdministrationTests {
    private static let ann = TokenKey.of("ann")

    private func fingerprint(_ number: Int) -> Fingerprint { AccessToken("token-\(number)").fingerprint }

    @Test("A reported token is dropped once, however many report it; what took its place is spared for 10 s.")
    func invalidate() throws {
        var cache = Simulation()
        try cache.warm(Self.ann)
        #expect(cache.machine.invalidate(Self.ann, fingerprint(9), now: cache.now) == .unknown)
        #expect(cache.machine.invalidate(Self.ann, fingerprint(1), now: cache.now) == .dropped)
        for _ in 0..<49 { #expect(cache.machine.invalidate(Self.ann, fingerprint(1), now: cache.now) == .unknown) }
        try cache.warm(Self.ann)
        cache.suspend(.milliseconds(3_500))
        #expect(cache.machine.invalidate(Self.ann, fingerprint(1), now: cache.now) == .unknown)
        #expect(cache.machine.invalidate(Self.ann, fingerprint(2), now: cache.now) == .tooYoung(retryAfter: 7))
        cache.suspend(.milliseconds(6_500))
        #expect(cache.machine.invalidate(Self.ann, fingerprint(2), now: cache.now) == .dropped)
        #expect(cache.machine.stats(now: cache.now).evictions["invalidated"] == 2)
    }

    @Test("A token that replaced none that was reported may be reported at once.")
    func youngButFirst() throws {
        var cache = Simulation()
        try cache.warm(Self.ann)
        #expect(cache.machine.invalidate(Self.ann, fingerprint(1), now: cache.now) == .dropped)
    }

    @Test("A refresh that was under way when its token was reported is not cached.")
    func invalidateDuringRefresh() throws {
        var cache = Simulation()
        try cache.warm(Self.ann, lifetime: .seconds(1_000))
        cache.suspend(.seconds(800))
        #expect(cache.ask(Self.ann).refreshes)
        let refresh = try cache.onlyMint()
        #expect(cache.machine.invalidate(Self.ann, fingerprint(1), now: cache.now) == .dropped)
        cache.succeed(refresh)
        #expect(cache.ask(Self.ann) == .wait)
    }

    @Test("A logout drops all scopes of the user, has each token revoked, and answers after the tenant did.")
    func revoke() throws {
        var cache = Simulation()
        try cache.warm(.of("ann", scope: "a"))
        try cache.warm(.of("ann", scope: "b"))
        try cache.warm(.of("bob"))
        let waiter = cache.newWaiter()
        #expect(cache.machine.revoke(Self.ann.user, scopes: nil, waiter: waiter, for: 7, now: cache.now).reply == nil)
        #expect(cache.machine.stats(now: cache.now).entries == 1)
        let calls = cache.orders().compactMap { order in if case .revoke(let call, _, _) = order { call } else { nil } }
        #expect(calls.count == 2)
        #expect(cache.machine.revocationEnded(calls[0], .taken, now: cache.now).isEmpty)
        #expect(
            cache.machine.revocationEnded(calls[1], .taken, now: cache.now).map(\.reply) == [
                .revoked(true, upstream: true)
            ]
        )
        #expect(cache.machine.stats(now: cache.now).mints.inFlight == 0)
    }

    @Test("Where the tenant doesn't take one of them, the answer says so; so it does when the tenant takes too long.")
    func revokeFails() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"))
        #expect(
            cache.machine.revoke(Self.ann.user, scopes: nil, waiter: cache.newWaiter(), for: 7, now: cache.now).reply
                == nil
        )
        guard case .revoke(let call, _, _)? = cache.orders().first else { return #expect(Bool(false)) }
        #expect(
            cache.machine.revocationEnded(call, .refused, now: cache.now).map(\.reply) == [
                .revoked(true, upstream: false)
            ]
        )
        try cache.warm(.of("ann"))
        #expect(
            cache.machine.revoke(Self.ann.user, scopes: nil, waiter: cache.newWaiter(), for: 7, now: cache.now).reply
                == nil
        )
        #expect(cache.advance(.seconds(10)).map(\.reply) == [.revoked(true, upstream: false)])
    }

    @Test("A logout with scopes leaves the user's other scopes; one of nobody's tokens says so.")
    func revokeScopes() throws {
        var cache = Simulation()
        try cache.warm(.of("ann", scope: "a"))
        try cache.warm(.of("ann", scope: "b"))
        let action = cache.machine.revoke(
            Self.ann.user,
            scopes: ScopeSet("a"),
            waiter: cache.newWaiter(),
            for: 7,
            now: cache.now
        )
        #expect(action.reply == nil)
        #expect(cache.ask(.of("ann", scope: "b")).served != nil)
        let nobody = cache.machine.revoke(
            TokenKey.of("bob").user,
            scopes: nil,
            waiter: cache.newWaiter(),
            for: 7,
            now: cache.now
        )
        #expect(nobody.reply == .revoked(false, upstream: nil))
    }

    @Test("A logout during a hold answers at once that the tenant wasn't asked; the token is gone either way.")
    func revokeInHold() throws {
        var cache = Simulation(draw: 0)
        try cache.warm(Self.ann)
        _ = cache.ask(.of("bob"))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(60)))
        let action = cache.machine.revoke(Self.ann.user, scopes: nil, waiter: cache.newWaiter(), for: 7, now: cache.now)
        #expect(action.reply == .revoked(true, upstream: false))
        #expect(cache.machine.stats(now: cache.now).entries == 0)
    }

    @Test("A flush drops one tenant's tokens or all, and says how many; what was under way isn't cached.")
    func flush() throws {
        var cache = Simulation(tenants: ["main": .test(), "other": .test()])
        for name in ["ann", "bob"] { try cache.warm(.of(name)) }
        try cache.warm(.of("ann", tenant: "other"))
        _ = cache.ask(.of("cid"))
        let mint = try cache.onlyMint()
        #expect(cache.machine.flush(tenant: "main") == 2)
        #expect(cache.succeed(mint).count == 1)
        #expect(cache.machine.stats(now: cache.now).entries == 1)
        #expect(cache.machine.flush(tenant: nil) == 1)
    }

    @Test("Past max_entries expired ones go first, then the one asked for longest ago; a refresh is no use.")
    func eviction() throws {
        var policy = CachePolicy()
        policy.maxEntries = 3
        var cache = Simulation(policy: policy)
        try cache.warm(.of("used"))
        try cache.warm(.of("old"), lifetime: .seconds(1_000))
        try cache.warm(.of("third"))
        cache.suspend(.seconds(800))
        #expect(cache.ask(.of("old")).refreshes)
        for name in ["used", "third"] { #expect(cache.ask(.of(name)).served != nil) }
        cache.succeed(try cache.onlyMint(), lifetime: .seconds(1_000))
        try cache.warm(.of("fourth"))
        #expect(cache.ask(.of("used")).served != nil)
        #expect(cache.machine.stats(now: cache.now).evictions["capacity"] == 1)
        try cache.warm(.of("short"), lifetime: .seconds(20))
        cache.suspend(.seconds(30))
        try cache.warm(.of("fifth"))
        let stats = cache.machine.stats(now: cache.now)
        #expect(stats.evictions["expired"] == 1)
        #expect(stats.evictions["capacity"] == 2)
        #expect(stats.entries == 3)
    }

    @Test("A reload keeps the tokens of tenants that stayed the same, and drops those of changed and removed ones.")
    func reload() throws {
        var cache = Simulation(tenants: ["same": .test(), "moved": .test(), "gone": .test()])
        for tenant in ["same", "moved", "gone"] { try cache.warm(.of("ann", tenant: tenant)) }
        _ = cache.machine.reconfigure(
            policy: CachePolicy(),
            tenants: ["same": .test(rate: 10), "moved": .test(host: "https://two.example")],
            now: cache.now
        )
        #expect(cache.ask(.of("ann", tenant: "same")).served != nil)
        #expect(cache.ask(.of("ann", tenant: "moved")) == .wait)
        #expect(cache.ask(.of("ann", tenant: "gone")).refusal?.code == .unknownTenant)
        #expect(cache.machine.stats(now: cache.now).entries == 1)
    }

    @Test("A reload's policy applies to the tokens that are there.")
    func reloadPolicy() throws {
        var cache = Simulation()
        for name in ["ann", "bob"] { try cache.warm(.of(name), lifetime: .seconds(1_000)) }
        cache.suspend(.seconds(500))
        #expect(!cache.ask(.of("ann")).refreshes)
        var policy = CachePolicy()
        (policy.ahead, policy.maxEntries) = (0.4, 1)
        _ = cache.machine.reconfigure(policy: policy, tenants: ["main": .test()], now: cache.now)
        #expect(cache.ask(.of("ann")).refreshes)
        #expect(cache.machine.stats(now: cache.now).entries == 1)
    }

    @Test("Those who wait for a tenant that a reload takes away are told.")
    func reloadRemoves() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 1)])
        for name in ["ann", "bob"] { _ = cache.ask(.of(name)) }
        let mint = try cache.onlyMint()
        let deliveries = cache.machine.reconfigure(policy: CachePolicy(), tenants: ["new": .test()], now: cache.now)
        #expect(deliveries.map(\.reply.error?.code) == [.unknownTenant])
        #expect(cache.succeed(mint).map(\.waiter.ticket) == [1])
        #expect(cache.machine.stats(now: cache.now).entries == 0)
    }

    @Test("A prefetch counts what is cached, queued and refused, and mints behind the callers.")
    func prefetch() throws {
        var cache = Simulation()
        try cache.warm(Self.ann)
        _ = cache.ask(.of("bad"))
        cache.fail(try cache.onlyMint(), .denied(ErrorReply.Upstream(status: 403), secretChanged: false))
        _ = cache.ask(.of("busy"))
        let count = cache.machine.prefetch(
            ["ann", "bad", "busy", "new"].map { TokenKey.of($0) },
            for: 7,
            now: cache.now
        )
        #expect(count.cached == 1)
        #expect(count.queued == 2)
        #expect(count.refused == 1)
        for mint in cache.mints() { cache.succeed(mint.call) }
        #expect(cache.ask(.of("new")).served != nil)
    }

    @Test("No more than 10,000 prefetches are queued in all.")
    func prefetchLimit() {
        var cache = Simulation()
        for batch in 0..<10 {
            let keys = (0..<1_000).map { TokenKey.of("user\(batch)-\($0)") }
            #expect(cache.machine.prefetch(keys, for: 7, now: cache.now).queued == 1_000)
        }
        #expect(cache.machine.prefetch([.of("one more")], for: 7, now: cache.now).refused == 1)
        #expect(cache.ask(.of("caller")) == .wait)
    }

    @Test("No more than 65,536 requests wait in all.")
    func waitingLimit() {
        var cache = Simulation()
        for _ in 0..<65_536 { #expect(cache.ask(Self.ann) == .wait) }
        #expect(cache.ask(Self.ann).refusal?.code == .overloaded)
    }

    @Test("The pages of entries show every token once, and never the token.")
    func entries() throws {
        var cache = Simulation()
        for index in 0..<7 { try cache.warm(.of("user\(index)")) }
        var seen: [String] = []
        var after: String?
        repeat {
            let page = try #require(cache.machine.entries(EntriesRequest(limit: 3, after: after), now: cache.now))
            #expect(page.entries.count <= 3)
            seen += page.entries.map { String(decoding: $0.user.value, as: UTF8.self) }
            after = page.next
        } while after != nil
        #expect(seen.sorted() == (0..<7).map { "user\($0)" })
        for cursor in ["rubbish", "-1", "", "9223372036854775807", "99999999999999999999"] {
            #expect(cache.machine.entries(EntriesRequest(after: cursor), now: cache.now) == nil, "\(cursor)")
        }
    }
}
