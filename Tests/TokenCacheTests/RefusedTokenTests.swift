import Secrets
import Testing
import TokenCache
import TokenProtocol

@Suite("Requests that report a refused token")
struct RefusedTokenTests {
    private func fingerprint(_ cache: inout Simulation, _ key: TokenKey = .of("ann")) throws -> Fingerprint {
        try #require(cache.ask(key).served?.token.fingerprint)
    }

    /// Requests a token in place of a refused one.
    private func replace(
        _ refused: Fingerprint,
        _ cache: inout Simulation,
        noCache: Bool = false,
        peer: PeerUID = 7
    ) -> RequestAnswer {
        cache.ask(.of("ann"), noCache: noCache, refused: refused, peer: peer)
    }

    @Test("The refused token is dropped, and another one is minted. The next ones get that from the cache.")
    func replaced() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"))
        let refused = try fingerprint(&cache)
        #expect(replace(refused, &cache) == .wait)
        let deliveries = cache.succeed(try cache.onlyMint())
        let token = try #require(deliveries.first?.reply.token?.token.fingerprint)
        #expect(token != refused)
        #expect(replace(refused, &cache).served?.token.fingerprint == token, "a late report means the old token")
        #expect(cache.orders().isEmpty)
    }

    @Test("Fifty workers that report one token at once cause one mint.")
    func workers() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"))
        let refused = try fingerprint(&cache)
        for worker in 0..<50 { #expect(replace(refused, &cache, peer: PeerUID(worker % 5)) == .wait) }
        let deliveries = cache.succeed(try cache.onlyMint())
        #expect(deliveries.count == 50)
        #expect(deliveries.allSatisfy { $0.reply.token.map { $0.token.fingerprint != refused } ?? false })
        #expect(cache.orders().isEmpty)
    }

    @Test("A mint that was under way before the report is not the answer to it.")
    func underWay() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        let refused = try fingerprint(&cache)
        cache.suspend(.seconds(800))
        #expect(cache.ask(.of("ann")).refreshes)
        let refresh = try cache.onlyMint()
        #expect(replace(refused, &cache) == .wait)
        let mint = try cache.onlyMint()
        #expect(cache.succeed(refresh).isEmpty)
        #expect(cache.succeed(mint).count == 1)
    }

    @Test("A refused token that has just replaced a refused one stays for ten seconds, and is the answer.")
    func tooYoung() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"))
        #expect(replace(try fingerprint(&cache), &cache) == .wait)
        cache.succeed(try cache.onlyMint())
        cache.suspend(.seconds(3))
        let second = try fingerprint(&cache)
        #expect(replace(second, &cache).served?.token.fingerprint == second)
        #expect(cache.orders().isEmpty)
        cache.suspend(.seconds(7))
        #expect(replace(second, &cache) == .wait)
        #expect(cache.orders().count == 1)
    }

    @Test("The old token in place of an error is not the refused one.")
    func stale() throws {
        var cache = Simulation()
        #expect(cache.ask(.of("ann")) == .wait)
        let short = MintOutcome.minted(AccessToken("short"), scope: nil, lifetime: .seconds(300))
        _ = cache.end(try cache.onlyMint(), short)
        let refused = try fingerprint(&cache)
        cache.suspend(.seconds(280))
        #expect(replace(refused, &cache) == .wait)
        let deliveries = cache.fail(try cache.onlyMint(), .unavailable("down"))
        #expect(deliveries.first?.reply.error?.code == .unavailable)
    }

    @Test("Reports are paid from the peer's allowance of forced mints, and a failed one only once.")
    func allowance() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 4)])
        try cache.warm(.of("ann"))
        #expect(replace(try fingerprint(&cache), &cache) == .wait)
        cache.fail(try cache.onlyMint(), .unavailable("down"))
        cache.suspend(.seconds(1))
        #expect(cache.ask(.of("ann")) == .wait, "another try costs nothing")
        cache.succeed(try cache.onlyMint())
        cache.suspend(.seconds(0.5))
        try cache.warm(.of("bob"))
        let bob = try fingerprint(&cache, .of("bob"))
        #expect(cache.ask(.of("bob"), refused: bob).error?.code == .rateLimited)
        #expect(cache.ask(.of("bob"), refused: bob, peer: 8) == .wait, "another uid has its own allowance")
    }

    @Test("Together with no_cache, another token is minted in any case, at the price of one.")
    func noCache() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"))
        let first = try fingerprint(&cache)
        #expect(replace(first, &cache, noCache: true) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(replace(first, &cache, noCache: true) == .wait, "the cached one is another, but none is wanted")
        #expect(cache.mints().count == 1)
    }

    @Test("An unknown token is no report: the request is an ordinary one.")
    func unknown() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"))
        #expect(replace(Fingerprint(of: AccessToken("other").bytes), &cache).served?.source == .cache)
    }
}
