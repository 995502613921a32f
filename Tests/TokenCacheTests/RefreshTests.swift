import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

@Suite("Refreshing ahead")
struct RefreshTests {
    @Test("After refreshAfter one refresh starts in the background, and nobody waits.")
    func soft() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(699))
        #expect(!cache.ask(.of("ann")).refreshes)
        cache.suspend(.seconds(1))
        #expect(cache.ask(.of("ann")).refreshes)
        #expect(!cache.ask(.of("ann")).refreshes)
        let call = try cache.onlyMint()
        #expect(cache.succeed(call, lifetime: .seconds(1_000)).isEmpty)
        #expect(cache.ask(.of("ann")).served?.expiresIn == 1_000)
    }

    @Test("A user who asks all the time never waits: 10 s tokens, a tenant that takes 600 ms, five minutes.")
    func neverWaits() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(10))
        var open: [(call: CallID, due: Instant)] = []
        for _ in 0..<3_000 {
            cache.advance(.milliseconds(100))
            for mint in cache.mints() { open.append((mint.call, cache.now + .milliseconds(600))) }
            for ended in open where ended.due <= cache.now { cache.succeed(ended.call, lifetime: .seconds(10)) }
            open.removeAll { $0.due <= cache.now }
            #expect(cache.ask(.of("ann")).served?.isStale == false)
        }
    }

    @Test("At the refresh deadline a timer refreshes tokens in use. Then an idle user's token expires.")
    func refreshDeadline() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.advance(.seconds(899))
        #expect(cache.orders().isEmpty)
        cache.advance(.seconds(1))
        cache.succeed(try cache.onlyMint(), lifetime: .seconds(1_000))
        cache.advance(.seconds(3_000))
        #expect(cache.orders().isEmpty, "nobody has asked since the refresh")
        #expect(cache.stats().entries == 0)
        #expect(cache.stats().refreshes.skippedIdle == 1)
    }

    @Test("A user who was not seen for idle_ttl is not refreshed.")
    func idle() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(21_600))
        cache.advance(.seconds(22_000))
        #expect(cache.orders().isEmpty)
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("A refresh deadline that passed during suspend mints nothing for an expired token.")
    func sleptThrough() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(999))
        cache.advance(.zero)
        #expect(cache.orders().isEmpty)
        #expect(cache.ask(.of("ann")) == .wait, "within its margin nothing is served")
    }

    @Test("After a suspend of any length no expired token is served.", arguments: [971, 1_000, 1_000_000])
    func suspend(seconds: Int) throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(seconds))
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("A token that was minted for a request is served while a second of it is left.")
    func freshness() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"))
        let short = try cache.onlyMint()
        cache.suspend(.milliseconds(500))
        #expect(cache.succeed(short, lifetime: .milliseconds(1_499)).map(\.reply.error?.code) == [.badUpstream])
        _ = cache.ask(.of("bob"))
        let enough = try cache.onlyMint()
        cache.suspend(.milliseconds(500))
        #expect(cache.succeed(enough, lifetime: .milliseconds(1_500)).map(\.reply.token?.expiresIn) == [1])
    }

    @Test("Nothing is served with less than a second left, however short a token lives.", arguments: [2, 5, 10, 19])
    func lessThanASecond(seconds: Int) throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(seconds))
        cache.suspend(.seconds(seconds) - .milliseconds(1_001))
        #expect(cache.ask(.of("ann"), minTTL: .zero).served?.expiresIn == 1)
        cache.suspend(.milliseconds(2))
        #expect(cache.ask(.of("ann"), minTTL: .zero, timeout: .zero).served == nil)
    }

    @Test("A life counts from the moment the call was sent, and expires_in is never too long.")
    func sent() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"))
        let call = try cache.onlyMint()
        cache.suspend(.milliseconds(5_500))
        #expect(cache.succeed(call, lifetime: .seconds(600)).map(\.reply.token?.expiresIn) == [594])
        cache.suspend(.milliseconds(499))
        #expect(cache.ask(.of("ann")).served?.expiresIn == 594)
        cache.suspend(.milliseconds(2))
        #expect(cache.ask(.of("ann")).served?.expiresIn == 593)
    }

    @Test("A reply without a usable lifetime gets the default one.")
    func defaultLifetime() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"))
        #expect(cache.succeed(try cache.onlyMint(), lifetime: nil).map(\.reply.token?.expiresIn) == [300])
    }

    @Test("If minting fails, a valid token with less than the preferred time left is served, marked as stale.")
    func stale() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(950))
        #expect(cache.ask(.of("ann")) == .wait)
        #expect(cache.ask(.of("ann"), minTTL: .seconds(60)) == .wait)
        let deliveries = cache.fail(try cache.onlyMint(), .unavailable("the tenant answered 500", retryAfter: nil))
        #expect(deliveries[0].reply.token?.isStale == true)
        #expect(deliveries[1].reply.error?.code == .unavailable)
        #expect(cache.ask(.of("ann")).served?.isStale == true, "the failure stands")
    }

    @Test("It is also served to a caller who times out.")
    func staleAtTimeout() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(945))
        #expect(cache.ask(.of("ann"), timeout: .seconds(1)) == .wait)
        #expect(cache.advance(.seconds(1)).map(\.reply.token?.isStale) == [true])
    }

    @Test("The reply names the granted scopes, or the requested ones if the tenant names none.")
    func scope() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann", scope: "b a"))
        #expect(cache.succeed(try cache.onlyMint(), scope: "a").map(\.reply.token?.token.scope) == ["a"])
        _ = cache.ask(.of("bob", scope: "b a"))
        #expect(cache.succeed(try cache.onlyMint()).map(\.reply.token?.token.scope) == ["a b"])
    }
}
