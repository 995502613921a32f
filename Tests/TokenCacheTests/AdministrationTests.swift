import OperatorReplies
import Secrets
import Testing
import TokenCache
import TokenProtocol

@Suite("Reports, logouts, evictions, reloads")
struct AdministrationTests {
    private static let ann = TokenKey.of("ann")

    private func fingerprint(_ number: Int) -> Fingerprint { AccessToken("token-\(number)").fingerprint }

    @Test("A reported token is dropped once, no matter how many apps report it. Its replacement is spared for 10 s.")
    func invalidate() throws {
        var cache = Simulation()
        try cache.warm(Self.ann)
        #expect(cache.invalidate(Self.ann, fingerprint(9)) == .unknown)
        #expect(cache.invalidate(Self.ann, fingerprint(1)) == .dropped)
        for _ in 0..<49 { #expect(cache.invalidate(Self.ann, fingerprint(1)) == .unknown) }
        try cache.warm(Self.ann)
        cache.suspend(.milliseconds(3_500))
        #expect(cache.invalidate(Self.ann, fingerprint(1)) == .unknown)
        #expect(cache.invalidate(Self.ann, fingerprint(2)) == .tooYoung(retryAfter: 7))
        cache.suspend(.milliseconds(6_500))
        #expect(cache.invalidate(Self.ann, fingerprint(2)) == .dropped)
        #expect(cache.stats().evictions["invalidated"] == 2)
    }

    @Test("A token that replaced no reported token may be reported at once.")
    func youngButFirst() throws {
        var cache = Simulation()
        try cache.warm(Self.ann)
        #expect(cache.invalidate(Self.ann, fingerprint(1)) == .dropped)
    }

    @Test("A refresh that was under way when its token was reported is not cached.")
    func invalidateDuringRefresh() throws {
        var cache = Simulation()
        try cache.warm(Self.ann, lifetime: .seconds(1_000))
        cache.suspend(.seconds(800))
        #expect(cache.ask(Self.ann).refreshes)
        let refresh = try cache.onlyMint()
        #expect(cache.invalidate(Self.ann, fingerprint(1)) == .dropped)
        cache.succeed(refresh)
        #expect(cache.ask(Self.ann) == .wait)
    }

    @Test("A logout drops all scopes of the user, revokes each token, and answers after the tenant did.")
    func revoke() throws {
        var cache = Simulation()
        try cache.warm(.of("ann", scope: "a"))
        try cache.warm(.of("ann", scope: "b"))
        try cache.warm(.of("bob"))
        let waiter = cache.newWaiter()
        #expect(cache.revoke(Self.ann.user, scopes: nil, as: waiter) == nil)
        #expect(cache.stats().entries == 1)
        let calls = cache.revocations()
        #expect(calls.count == 2)
        #expect(cache.endRevocation(calls[0], .accepted).isEmpty)
        #expect(
            cache.endRevocation(calls[1], .accepted).map(\.reply) == [
                .revoked(true, upstream: true)
            ]
        )
        #expect(cache.stats().mints.inFlight == 0)
    }

    @Test("If the tenant doesn't revoke one of them, or takes too long, the answer says so.")
    func revokeFails() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"))
        #expect(
            cache.revoke(Self.ann.user, scopes: nil)
                == nil
        )
        guard case .revoke(let call, _, _, _)? = cache.orders().first else { return #expect(Bool(false)) }
        #expect(
            cache.endRevocation(call, .denied).map(\.reply) == [
                .revoked(true, upstream: false)
            ]
        )
        try cache.warm(.of("ann"))
        #expect(
            cache.revoke(Self.ann.user, scopes: nil)
                == nil
        )
        #expect(cache.advance(.seconds(10)).map(\.reply) == [.revoked(true, upstream: false)])
    }

    @Test("A logout with scopes keeps the user's other scopes. A logout of nobody's tokens says so.")
    func revokeScopes() throws {
        var cache = Simulation()
        try cache.warm(.of("ann", scope: "a"))
        try cache.warm(.of("ann", scope: "b"))
        let action = cache.revoke(Self.ann.user, scopes: ScopeSet("a"))
        #expect(action == nil)
        #expect(cache.ask(.of("ann", scope: "b")).served != nil)
        let nobody = cache.revoke(TokenKey.of("bob").user, scopes: nil)
        #expect(nobody == .revoked(false, upstream: nil))
    }

    @Test("A logout during a hold answers at once that the tenant wasn't asked. The token is gone either way.")
    func revokeInHold() throws {
        var cache = Simulation(jitterFraction: 0)
        try cache.warm(Self.ann)
        _ = cache.ask(.of("bob"))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(60)))
        let action = cache.revoke(Self.ann.user, scopes: nil)
        #expect(action == .revoked(true, upstream: false))
        #expect(cache.stats().entries == 0)
    }

    @Test("A flush drops one tenant's tokens or all, and counts them. The token of a mint under way isn't cached.")
    func flush() throws {
        var cache = Simulation(tenants: ["main": .test(), "other": .test()])
        for name in ["ann", "bob"] { try cache.warm(.of(name)) }
        try cache.warm(.of("ann", tenant: "other"))
        _ = cache.ask(.of("cid"))
        let mint = try cache.onlyMint()
        #expect(cache.flush(tenant: "main") == 2)
        #expect(cache.succeed(mint).count == 1)
        #expect(cache.stats().entries == 1)
        #expect(cache.flush(tenant: nil) == 1)
    }

    @Test("Beyond max_entries expired tokens are removed first, then the least recently used. A refresh is no use.")
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
        #expect(cache.stats().evictions["capacity"] == 1)
        try cache.warm(.of("short"), lifetime: .seconds(20))
        cache.suspend(.seconds(30))
        try cache.warm(.of("fifth"))
        let stats = cache.stats()
        #expect(stats.evictions["expired"] == 1)
        #expect(stats.evictions["capacity"] == 2)
        #expect(stats.entries == 3)
    }

    @Test("A reload keeps the tokens of unchanged tenants, and drops those of changed and removed ones.")
    func reload() throws {
        var cache = Simulation(tenants: ["same": .test(), "moved": .test(), "gone": .test()])
        for tenant in ["same", "moved", "gone"] as [TenantID] { try cache.warm(.of("ann", tenant: tenant)) }
        let moved = TenantID(number: 9, name: "moved")
        cache.reconfigure(tenants: ["same": .test(rate: 10), moved: .test(host: "https://two.example")])
        #expect(cache.ask(.of("ann", tenant: "same")).served != nil)
        #expect(cache.ask(.of("ann", tenant: moved)) == .wait)
        #expect(cache.ask(.of("ann", tenant: "gone")).error?.code == .unknownTenant)
        #expect(cache.stats().entries == 1)
    }

    @Test("A reload's policy applies to the tokens in the cache.")
    func reloadPolicy() throws {
        var cache = Simulation()
        for name in ["ann", "bob"] { try cache.warm(.of(name), lifetime: .seconds(1_000)) }
        cache.suspend(.seconds(500))
        #expect(!cache.ask(.of("ann")).refreshes)
        var policy = CachePolicy()
        (policy.ahead, policy.maxEntries) = (0.4, 1)
        cache.reconfigure(policy: policy, tenants: ["main": .test()])
        #expect(cache.ask(.of("ann")).refreshes)
        #expect(cache.stats().entries == 1)
    }

    @Test("Callers who wait for a tenant that a reload removes are told.")
    func reloadRemoves() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 1)])
        for name in ["ann", "bob"] { _ = cache.ask(.of(name)) }
        let mint = try cache.onlyMint()
        let deliveries = cache.reconfigure(policy: CachePolicy(), tenants: ["new": .test()])
        #expect(deliveries.map(\.reply.error?.code) == [.unknownTenant])
        #expect(cache.succeed(mint).map(\.waiter.ticket) == [1])
        #expect(cache.stats().entries == 0)
    }

    @Test("A prefetch counts what is cached, queued and refused, and mints after the callers' calls.")
    func prefetch() throws {
        var cache = Simulation()
        try cache.warm(Self.ann)
        _ = cache.ask(.of("bad"))
        cache.fail(try cache.onlyMint(), .denied(ErrorReply.Upstream(status: 403), secretChanged: false))
        _ = cache.ask(.of("busy"))
        let count = cache.prefetch(
            ["ann", "bad", "busy", "new"].map { TokenKey.of($0) },
            for: 7
        )
        #expect(count.cached == 1)
        #expect(count.queued == 2)
        #expect(count.refused == 1)
        for mint in cache.mints() { cache.succeed(mint.call) }
        #expect(cache.ask(.of("new")).served != nil)
    }

    @Test("No more than 10,000 prefetches are queued in all.")
    func prefetchLimit() {
        var cache = Simulation(tenants: ["main": .test(rate: 1, burst: 1)])
        #expect(cache.prefetch([.of("first")], for: 7).queued == 1, "that one goes at once")
        for batch in 0..<10 {
            let keys = (0..<1_000).map { TokenKey.of("user\(batch)-\($0)") }
            #expect(cache.prefetch(keys, for: 7).queued == 1_000)
        }
        #expect(cache.prefetch([.of("one more")], for: 7).refused == 1)
        #expect(cache.ask(.of("caller"), timeout: .seconds(61)) == .wait)
    }

    @Test("One uid's prefetches don't exclude another's: past its share it loses positions, and they take turns.")
    func prefetchShares() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 1, concurrent: 100)])
        for batch in 0..<11 {
            _ = cache.prefetch((0..<1_000).map { TokenKey.of("a\(batch)-\($0)") }, for: 1)
        }
        #expect(cache.prefetch([.of("b0"), .of("b1")], for: 2).queued == 2)
        #expect(cache.prefetch([.of("more")], for: 1).refused == 1, "past its share")
        #expect(cache.stats().tenants["main"]?.queued.prefetches == CacheStateMachine.maxPrefetches)
        _ = cache.mints()
        cache.advance(.seconds(4))
        let names = cache.mints().map { String(decoding: $0.key.user.user.value, as: UTF8.self).prefix(1) }
        #expect(names == ["a", "b", "a", "b"])
    }

    @Test("No more than 65,536 requests wait in all.")
    func waitingLimit() {
        var cache = Simulation()
        for _ in 0..<65_536 { #expect(cache.ask(Self.ann) == .wait) }
        #expect(cache.ask(Self.ann).error?.code == .overloaded)
    }

    @Test("The pages of entries show every token once, but never its text.")
    func entries() throws {
        var cache = Simulation()
        for index in 0..<7 { try cache.warm(.of("user\(index)")) }
        var seen: [String] = []
        var after: String?
        repeat {
            let page = try #require(
                cache.machine.entries(EntriesRequest(limit: 3, after: after), of: nil, now: cache.now)
            )
            #expect(page.entries.count <= 3)
            seen += page.entries.map { String(decoding: $0.user.value, as: UTF8.self) }
            after = page.next
        } while after != nil
        #expect(seen.sorted() == (0..<7).map { "user\($0)" })
        for cursor in ["malformed", "-1", "", "9223372036854775807", "99999999999999999999"] {
            #expect(cache.machine.entries(EntriesRequest(after: cursor), of: nil, now: cache.now) == nil, "\(cursor)")
        }
    }

    @Test("The next refreshes are listed soonest first, with their seconds, and without those under way.")
    func nextRefreshes() throws {
        var cache = Simulation()
        for (user, lifetime) in [("c", 3_000), ("a", 1_000), ("d", 4_000), ("b", 2_000)] {
            try cache.warm(.of(user), lifetime: .seconds(lifetime))
        }
        var soonest = EntriesRequest(limit: 3, order: .nextRefresh)
        func list() throws -> [EntriesReply.Entry] {
            try #require(cache.machine.entries(soonest, of: nil, now: cache.now)).entries
        }
        #expect(try list().map { String(decoding: $0.user.value, as: UTF8.self) } == ["a", "b", "c"])
        #expect(try list().map(\.nextRefresh) == [900, 1_800, 2_700])
        #expect(cache.machine.entries(soonest, of: nil, now: cache.now)?.next == nil)
        cache.advance(.seconds(900))
        soonest.limit = 100
        #expect(try list().map(\.nextRefresh) == [900, 1_800, 2_700])
        let places = try #require(cache.machine.entries(EntriesRequest(), of: nil, now: cache.now))
        #expect(places.entries.map(\.nextRefresh).sorted { $0 ?? -1 < $1 ?? -1 } == [nil, 900, 1_800, 2_700])
    }
}
