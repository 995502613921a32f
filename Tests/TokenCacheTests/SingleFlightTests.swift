import OperatorReplies
import Secrets
import Testing
import TokenCache
import TokenProtocol
import TokenStorage

@Suite("One mint per key")
struct SingleFlightTests {
    @Test("All requests during a mint share it, also those with no_cache.")
    func sharing() throws {
        var cache = Simulation()
        #expect(cache.ask(.of("ann")) == .wait)
        #expect(cache.ask(.of("ann"), noCache: true) == .wait)
        let mint = try cache.onlyMint()
        #expect(cache.ask(.of("ann"), minTTL: .seconds(80_000)) == .wait)
        let deliveries = cache.succeed(mint)
        #expect(deliveries.map(\.waiter.ticket) == [1, 2, 3])
        #expect(deliveries.allSatisfy { $0.reply.token?.source == .tenant })
        #expect(cache.orders().isEmpty)
        #expect(cache.ask(.of("ann")).served?.source == .cache)
    }

    @Test("Keys that differ in tenant, field, bytes or scopes share nothing. The order of scopes makes no difference.")
    func keys() {
        var cache = Simulation(tenants: ["main": .test(), "other": .test()])
        let composed = UserLookup(field: .subject, value: "\u{e9}")
        let decomposed = UserLookup(field: .subject, value: "e\u{301}")
        guard let scopes = ScopeSet("a b"), let swapped = ScopeSet("b a b") else { return #expect(Bool(false)) }
        let keys = [
            TokenKey(tenant: "main", user: composed, scopes: scopes),
            TokenKey(tenant: "main", user: decomposed, scopes: scopes),
            TokenKey(tenant: "other", user: composed, scopes: scopes),
            TokenKey(tenant: "main", user: UserLookup(field: .userID, value: "\u{e9}"), scopes: scopes),
            .of("\u{e9}", scope: "a"),
        ]
        for key in keys { #expect(cache.ask(key) == .wait) }
        #expect(cache.ask(TokenKey(tenant: "main", user: composed, scopes: swapped)) == .wait)
        #expect(Set(cache.mints().map(\.key)) == Set(keys))
    }

    @Test("A failure goes to all who share the mint, and is remembered for a moment.")
    func failure() throws {
        var cache = Simulation(jitterFraction: 0)
        _ = cache.ask(.of("ann"))
        _ = cache.ask(.of("ann"))
        let deliveries = cache.fail(try cache.onlyMint(), .unavailable("the tenant answered 500", retryAfter: nil))
        #expect(deliveries.map(\.reply.error?.code) == [.unavailable, .unavailable])
        #expect(cache.ask(.of("ann")).error?.code == .unavailable)
        #expect(cache.ask(.of("bob")) == .wait)
        cache.suspend(.milliseconds(100))
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("A token without memory for it is reported to the waiters as overload, and doesn't count against the tenant.")
    func noMemory() throws {
        let pages = ScarcePages()
        let storage = try #require(TokenStorage(in: pages))
        let memory = CacheMemory(storage: storage, clock: BootClock(), secrets: nil)
        var cache = Simulation(jitterFraction: 0, memory: memory)
        _ = cache.ask(.of("ann"))
        _ = cache.ask(.of("ann"))
        let mint = try cache.onlyMint()
        pages.isUsedUp = true
        let deliveries = cache.succeed(mint)
        #expect(deliveries.map(\.reply.error?.code) == [.overloaded, .overloaded])
        #expect(deliveries.first?.reply.error?.retryAfter == 1)
        #expect(cache.stats().entries == 0)
        for number in 0..<20 {
            _ = cache.ask(.of("user-\(number)"))
            cache.fail(try cache.onlyMint(), .noMemory)
        }
        #expect(cache.stats().tenants["main"]?.state == "closed")
        pages.isUsedUp = false
        try cache.warm(.of("zoe"))
        #expect(storage.count == 1)
    }

    @Test("A refresh for whose token there is no memory leaves the present one.")
    func noMemoryForRefresh() throws {
        let pages = ScarcePages()
        let storage = try #require(TokenStorage(in: pages))
        var cache = Simulation(memory: CacheMemory(storage: storage, clock: BootClock(), secrets: nil))
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.advance(.seconds(750))
        #expect(cache.ask(.of("ann")).refreshes)
        pages.isUsedUp = true
        let call = try cache.onlyMint()
        // A larger token needs another region.
        let token = AccessToken(String(repeating: "x", count: 3_000))
        _ = cache.end(call, .minted(token, scope: nil, lifetime: .seconds(1_000)))
        #expect(cache.ask(.of("ann")).served?.token.accessToken == AccessToken("token-1"))
        #expect(storage.count == 1)
    }

    @Test("A failure is remembered for half a second at most.")
    func longestStanding() throws {
        var cache = Simulation(jitterFraction: 0.999_999)
        _ = cache.ask(.of("ann"))
        cache.fail(try cache.onlyMint(), .malformed("no token"))
        cache.suspend(.milliseconds(499))
        #expect(cache.ask(.of("ann")).error?.code == .badUpstream)
        cache.suspend(.milliseconds(1))
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("A caller who leaves or times out ends only its own wait. The token is cached.")
    func leaving() throws {
        var cache = Simulation()
        let gone = cache.newWaiter()
        #expect(cache.ask(.of("ann"), as: gone) == .wait)
        #expect(cache.ask(.of("ann"), timeout: .seconds(2)) == .wait)
        let mint = try cache.onlyMint()
        cache.cancelWaits(of: [gone])
        #expect(cache.advance(.seconds(2)).map(\.reply.error?.code) == [.timeout])
        #expect(cache.succeed(mint).isEmpty)
        #expect(cache.ask(.of("ann")).served != nil)
    }

    @Test("A timeout of 0 is answered at once, and the mint goes on.")
    func noTime() throws {
        var cache = Simulation()
        #expect(cache.ask(.of("ann"), timeout: .zero).error?.code == .timeout)
        cache.succeed(try cache.onlyMint())
        #expect(cache.ask(.of("ann"), timeout: .zero).served != nil)
    }

    @Test("The token of an older generation isn't cached. Those who joined before get it, those after don't.")
    func generations() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"))
        let old = try cache.onlyMint()
        cache.evict(TokenKey.of("ann").user, scopes: nil)
        #expect(cache.ask(.of("ann")) == .wait)
        let new = try cache.onlyMint()
        #expect(cache.succeed(old).map(\.waiter.ticket) == [1])
        #expect(cache.ask(.of("ann")) == .wait, "the old token must not be in the cache")
        #expect(cache.succeed(new).map(\.waiter.ticket) == [2, 3])
        #expect(cache.ask(.of("ann")).served != nil)
    }

    @Test("After a logout nobody gets the token of a mint under way, and it is revoked on arrival.")
    func logout() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"))
        let old = try cache.onlyMint()
        let action = cache.revoke(TokenKey.of("ann").user, scopes: nil)
        #expect(action == .revoked(false, upstream: nil))
        #expect(cache.takeDeliveries().map(\.reply.error?.code) == [.unavailable])
        #expect(cache.succeed(old).isEmpty)
        guard case .revoke(_, "main", let token, _)? = cache.orders().first else { return #expect(Bool(false)) }
        #expect(token == AccessToken("token-1"))
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("A failure never replaces a valid token.")
    func validToken() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(800))
        #expect(cache.ask(.of("ann")).refreshes)
        cache.fail(try cache.onlyMint(), .denied(ErrorReply.Upstream(status: 401), secretChanged: false))
        #expect(cache.ask(.of("ann")).served?.source == .cache)
        cache.suspend(.seconds(120))
        #expect(cache.ask(.of("ann")).served?.isStale == false)
    }

    @Test("A refresh becomes urgent when a caller starts to wait for it.")
    func promotion() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 2)])
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(800))
        #expect(cache.ask(.of("bob")) == .wait)
        #expect(cache.ask(.of("cid")) == .wait)
        #expect(cache.mints().map(\.key) == [.of("bob"), .of("cid")])
        #expect(cache.prefetch([.of("dan")], for: 7).queued == 1)
        #expect(cache.ask(.of("ann")).refreshes)
        #expect(cache.ask(.of("ann"), minTTL: .seconds(500)) == .wait)
        cache.advance(.seconds(1))
        #expect(cache.mints().map(\.key) == [.of("ann")])
    }
}
