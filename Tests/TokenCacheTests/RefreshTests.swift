import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

@Suite("Refreshing ahead")
struct RefreshTests {
    @Test("From the soft point on, one refresh starts behind the answer, and nobody waits.")
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

    @Test("At the last chance a timer refreshes what is in use; then the idle user's token lapses.")
    func lastChance() throws {
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

    @Test("A user who was not seen for idle_ttl is not minted for again.")
    func idle() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(21_600))
        cache.advance(.seconds(22_000))
        #expect(cache.orders().isEmpty)
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("A last chance that a suspend has slept through mints nothing for a token that is over.")
    func sleptThrough() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(999))
        cache.advance(.zero)
        #expect(cache.orders().isEmpty)
        #expect(cache.ask(.of("ann")) == .wait, "within its margin nothing is served")
    }

    @Test("After a suspend of any length nothing expired is served.", arguments: [971, 1_000, 1_000_000])
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

    @Test("A life counts from the moment the call went out, and expires_in is never more than is true.")
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

    @Test("Where minting fails, a living token with less than is preferred stands in, marked as stale.")
    func stale() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(950))
        #expect(cache.ask(.of("ann")) == .wait)
        #expect(cache.ask(.of("ann"), minTTL: .seconds(60)) == .wait)
        let deliveries = cache.fail(try cache.onlyMint(), .unavailable("the tenant answered 500", pause: nil))
        #expect(deliveries[0].reply.token?.isStale == true)
        #expect(deliveries[1].reply.error?.code == .unavailable)
        #expect(cache.ask(.of("ann")).served?.isStale == true, "the failure stands")
    }

    @Test("It stands in for a caller whose time is over, too.")
    func staleAtTimeout() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(945))
        #expect(cache.ask(.of("ann"), timeout: .seconds(1)) == .wait)
        #expect(cache.advance(.seconds(1)).map(\.reply.token?.isStale) == [true])
    }

    @Test("What the tenant granted is told; where it names nothing, what was asked.")
    func scope() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann", scope: "b a"))
        #expect(cache.succeed(try cache.onlyMint(), scope: "a").map(\.reply.token?.token.scope) == ["a"])
        _ = cache.ask(.of("bob", scope: "b a"))
        #expect(cache.succeed(try cache.onlyMint()).map(\.reply.token?.token.scope) == ["a b"])
    }
}
