import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

@Suite("Failed refreshes are retried")
struct RetryTests {
    private static let down = OpenCircuitTests.down
    private static let many: [TenantID: TenantPolicy] = ["main": .test(rate: 10_000, burst: 10_000)]

    /// Returns the next mint and the time at which it is sent.
    private func nextMint(_ cache: inout Simulation) throws -> CallID {
        for _ in 0..<100 {
            let due = cache.wake
            cache.advance(try #require(due) - cache.now)
            if let mint = cache.mints().first { return mint.call }
        }
        return try cache.onlyMint()
    }

    /// Creates a user whose token is due and whose refresh is under way.
    private func refreshing(
        _ cache: inout Simulation,
        _ name: String = "ann",
        lifetime: Duration = .seconds(1_000)
    ) throws
        -> CallID
    {
        try cache.warm(.of(name), lifetime: lifetime)
        cache.suspend(lifetime * 0.75)
        #expect(cache.ask(.of(name)).refreshes)
        return try cache.onlyMint()
    }

    @Test(
        "After a fault a refresh is retried after one to three seconds, and no caller notices.",
        arguments: [(0.0, 1_000), (0.5, 2_000)]
    )
    func again(jitterFraction: Double, milliseconds: Int) throws {
        var cache = Simulation(tenants: Self.many, jitterFraction: jitterFraction)
        cache.fail(try refreshing(&cache), Self.down)
        cache.advance(.milliseconds(milliseconds - 1))
        #expect(cache.ask(.of("ann")).served?.isStale == false)
        #expect(cache.mints().isEmpty)
        cache.advance(.milliseconds(1))
        cache.succeed(try cache.onlyMint())
        cache.advance(.seconds(60))
        #expect(cache.mints().isEmpty)
    }

    @Test("Pauses grow, but never past a quarter of the time left: three tries remain.")
    func growth() throws {
        var cache = Simulation(tenants: Self.many, jitterFraction: 0.999_999)
        var call = try refreshing(&cache, lifetime: .seconds(400))
        var pauses: [Int] = []
        for _ in 0..<3 {
            let failed = cache.now
            cache.fail(call, Self.down)
            call = try nextMint(&cache)
            pauses.append(Int((cache.now - failed).components.seconds))
        }
        // A quarter of the 88 s that are left then is less than three times nine.
        #expect(pauses == [2, 8, 22])
    }

    @Test("However little time is left, a refresh is never retried without a pause.")
    func never() throws {
        var cache = Simulation(tenants: Self.many, jitterFraction: 0)
        try cache.warm(.of("ann"), lifetime: .seconds(8))
        cache.suspend(.milliseconds(6_900))
        #expect(cache.ask(.of("ann"), minTTL: .zero).refreshes)
        cache.fail(try cache.onlyMint(), Self.down)
        cache.advance(.milliseconds(274))
        #expect(cache.mints().isEmpty)
    }

    @Test("A caller who has to wait is not delayed by the pause.")
    func urgent() throws {
        var cache = Simulation(tenants: Self.many, jitterFraction: 0.5)
        cache.fail(try refreshing(&cache), Self.down)
        cache.suspend(.milliseconds(600))
        #expect(cache.ask(.of("ann"), minTTL: .seconds(500)) == .wait)
        #expect(cache.mints().map(\.key) == [.of("ann")])
    }

    @Test("Any success ends all pauses.")
    func success() throws {
        var cache = Simulation(tenants: Self.many, jitterFraction: 0.999_999)
        cache.fail(try refreshing(&cache), Self.down)
        cache.suspend(.milliseconds(100))
        #expect(cache.ask(.of("bob")) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(cache.mints().map(\.key) == [.of("ann")])
    }

    @Test("A user who has become idle is not retried.")
    func idle() throws {
        var policy = CachePolicy()
        policy.idleTTL = .seconds(1)
        var cache = Simulation(policy: policy, tenants: Self.many, jitterFraction: 0.999_999)
        cache.fail(try refreshing(&cache), Self.down)
        cache.advance(.seconds(60))
        #expect(cache.mints().isEmpty)
        #expect(cache.stats().refreshes.skippedIdle > 0)
    }

    @Test("After a 429 the refresh goes when the hold ends, without any request.")
    func throttled() throws {
        var cache = Simulation(tenants: Self.many, jitterFraction: 0)
        cache.fail(try refreshing(&cache), .throttled(retryAfter: .seconds(20)))
        cache.advance(.milliseconds(19_999))
        #expect(cache.mints().isEmpty)
        cache.advance(.milliseconds(1))
        #expect(cache.mints().map(\.key) == [.of("ann")])
    }

    @Test("A denial is not retried.")
    func denied() throws {
        var cache = Simulation(tenants: Self.many)
        cache.fail(try refreshing(&cache), .denied(ErrorReply.Upstream(status: 403), secretChanged: false))
        cache.advance(.seconds(5))
        #expect(cache.mints().isEmpty)
        #expect(cache.ask(.of("ann")).served != nil)
    }
}
