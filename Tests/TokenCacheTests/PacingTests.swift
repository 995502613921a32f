import Testing
import TokenCache
import TokenProtocol

@Suite("The tenant is protected")
struct PacingTests {
    @Test("Calls keep to the token bucket: the burst at once, then the rate.")
    func bucket() {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 3, concurrent: 1_000)])
        for index in 0..<8 { #expect(cache.ask(.of("user\(index)")) == .wait) }
        #expect(cache.mints().count == 3)
        cache.advance(.milliseconds(999))
        #expect(cache.mints().isEmpty)
        cache.advance(.milliseconds(1))
        #expect(cache.mints().map(\.key) == [.of("user3")])
        cache.advance(.seconds(4))
        #expect(cache.mints().map(\.key) == (4..<8).map { TokenKey.of("user\($0)") })
    }

    @Test("No more calls than allowed are under way. When one ends the next goes.")
    func concurrency() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 2)])
        for name in ["ann", "bob", "cid"] { #expect(cache.ask(.of(name)) == .wait) }
        let mints = cache.mints()
        #expect(mints.map(\.key) == [.of("ann"), .of("bob")])
        cache.advance(.seconds(5))
        #expect(cache.mints().isEmpty)
        cache.succeed(mints[1].call)
        #expect(cache.mints().map(\.key) == [.of("cid")])
    }

    @Test("A wait that the bucket can't end in time fails at once, with the time to come back.")
    func pacing() {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 1)])
        #expect(cache.ask(.of("ann"), timeout: .seconds(1)) == .wait)
        _ = cache.mints()
        #expect(cache.ask(.of("bob"), timeout: .milliseconds(1_001)) == .wait)
        let error = cache.ask(.of("cid"), timeout: .seconds(1)).error
        #expect(error?.code == .rateLimited)
        #expect(error?.retryAfter == 2)
        #expect(cache.ask(.of("cid"), timeout: .seconds(2)).error?.code == .rateLimited, "it would go too late")
        #expect(cache.ask(.of("cid"), timeout: .milliseconds(2_001)) == .wait)
    }

    @Test("A caller who joins a queued mint that comes too late is told at once, too.")
    func pacingOfJoiners() {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 1)])
        for name in ["ann", "bob", "cid"] { #expect(cache.ask(.of(name)) == .wait) }
        _ = cache.mints()
        #expect(cache.ask(.of("bob"), timeout: .milliseconds(1_001)) == .wait)
        #expect(cache.ask(.of("cid"), timeout: .milliseconds(1_999)).error?.code == .rateLimited)
        #expect(cache.ask(.of("ann"), timeout: .seconds(1)) == .wait, "that one is under way")
    }

    @Test("Callers' calls go first, then prefetches, then refreshes, the soonest expiry first.")
    func order() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 4, concurrent: 100)])
        try cache.warm(.of("long"), lifetime: .seconds(1_001))
        try cache.warm(.of("short"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(750))
        for index in 0..<4 { _ = cache.ask(.of("first\(index)")) }
        #expect(cache.mints().count == 4)
        #expect(cache.ask(.of("long")).refreshes)
        #expect(cache.ask(.of("short")).refreshes)
        #expect(cache.prefetch([.of("early")], for: 7).queued == 1)
        #expect(cache.ask(.of("caller")) == .wait)
        cache.advance(.seconds(8))
        #expect(cache.mints().map(\.key) == [.of("caller"), .of("early"), .of("short"), .of("long")])
    }

    @Test("While a caller waits, refreshes use at most three tenths of the bucket.")
    func refreshShare() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 10, concurrent: 100)])
        for index in 0..<10 { try cache.warm(.of("user\(index)"), lifetime: .seconds(1_000)) }
        cache.suspend(.seconds(750))
        #expect(cache.ask(.of("caller"), timeout: .seconds(60)) == .wait)
        _ = cache.mints()
        for index in 0..<10 { #expect(cache.ask(.of("user\(index)")).refreshes) }
        #expect(cache.mints().count == 3, "three tenths of the burst of 10")
        cache.advance(.milliseconds(10_001))
        #expect(cache.mints().count == 3, "three tenths of the 10 calls that came in")
    }

    @Test(
        "Refreshes that are all due at once, as after a suspend, keep to the tenant's rate, the soonest expiry first."
    )
    func dueAtOnce() throws {
        var policy = CachePolicy()
        policy.idleTTL = .seconds(20_000)
        var cache = Simulation(policy: policy, tenants: ["main": .test(rate: 60, burst: 5, concurrent: 100)])
        for index in 0..<20 {
            // The later a token is received, the sooner it expires.
            try cache.warm(.of("user\(index)"), lifetime: .seconds(10_100 - 2 * index))
            cache.suspend(.seconds(1))
        }
        cache.suspend(.seconds(9_400))
        cache.advance(.zero)
        #expect(cache.mints().map(\.key) == (15..<20).reversed().map { .of("user\($0)") })
        cache.advance(.seconds(3))
        #expect(cache.mints().map(\.key) == (12..<15).reversed().map { .of("user\($0)") })
    }

    @Test("While nobody waits, refreshes may use the whole bucket, but leave one concurrent call for a caller.")
    func refreshPlaces() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 4)])
        for index in 0..<6 { try cache.warm(.of("user\(index)"), lifetime: .seconds(1_000)) }
        cache.suspend(.seconds(750))
        for index in 0..<6 { _ = cache.ask(.of("user\(index)")) }
        #expect(cache.mints().count == 3)
        _ = cache.ask(.of("caller"))
        #expect(cache.mints().map(\.key) == [.of("caller")])
    }

    @Test(
        "A 429 holds all calls: for the given time, for 5 s if it can't be understood, for an hour at most.",
        arguments: [(Duration.seconds(20), 20), (nil, 5), (.seconds(86_400), 3_600), (.seconds(2), 2)]
    )
    func hold(retryAfter: Duration?, seconds: Int) throws {
        var cache = Simulation(jitterFraction: 0)
        _ = cache.ask(.of("ann"))
        let error = cache.fail(try cache.onlyMint(), .throttled(retryAfter: retryAfter)).first?.reply.error
        #expect(error?.code == .rateLimited)
        #expect(error?.retryAfter == seconds)
        #expect(cache.ask(.of("bob"), timeout: .seconds(1)).error?.retryAfter == seconds)
        cache.advance(.seconds(seconds) - .milliseconds(1))
        #expect(cache.ask(.of("bob"), timeout: .seconds(1)) == .wait)
        #expect(cache.orders().isEmpty)
        cache.advance(.milliseconds(1))
        #expect(cache.mints().map(\.key) == [.of("bob")])
    }

    @Test("A hold is extended by up to a tenth.")
    func holdSpread() throws {
        var cache = Simulation(jitterFraction: 0.999_999)
        _ = cache.ask(.of("ann"))
        #expect(
            cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(100))).first?.reply.error?.retryAfter
                == 110
        )
    }

    @Test("A 503 with Retry-After holds all calls, too, and callers are told that the tenant is unavailable.")
    func pause() throws {
        var cache = Simulation(jitterFraction: 0)
        _ = cache.ask(.of("ann"))
        let mint = try cache.onlyMint()
        let error = cache.fail(mint, .unavailable("the tenant answered 503", retryAfter: .usable(.seconds(30)))).first?
            .reply
            .error
        #expect(error?.code == .unavailable)
        #expect(error?.retryAfter == 30)
        #expect(cache.ask(.of("bob")).error?.code == .unavailable)
    }

    @Test("A hold rejects waiting callers who can't be served in time at once. Their calls are not sent.")
    func holdTellsWaiting() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 1)], jitterFraction: 0)
        for name in ["ann", "bob"] { _ = cache.ask(.of(name)) }
        #expect(cache.ask(.of("cid"), timeout: .seconds(60)) == .wait)
        let deliveries = cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(20)))
        #expect(deliveries.map(\.waiter.ticket) == [1, 2])
        #expect(deliveries.map(\.reply.error?.retryAfter) == [20, 20])
        cache.advance(.seconds(20))
        #expect(cache.mints().map(\.key) == [.of("cid")])
    }

    @Test("During a hold the bucket fills only up to its burst: callers beyond that are told at once.")
    func holdAndBucket() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 1, concurrent: 1)], jitterFraction: 0)
        #expect(cache.ask(.of("ann"), timeout: .seconds(60)) == .wait)
        let mint = try cache.onlyMint()
        cache.advance(.seconds(5))
        // Four could go within five seconds. After a hold of two seconds only three can: at 2, 3 and 4 s, not at 5 s.
        for index in 0..<5 { #expect(cache.ask(.of("user\(index)"), timeout: .milliseconds(4_900)) == .wait) }
        let replies = cache.fail(mint, .throttled(retryAfter: .seconds(2))).dropFirst()
        #expect(replies.map(\.waiter.ticket) == [5, 6])
        #expect(replies.map(\.reply.error?.code) == [.rateLimited, .rateLimited])
        #expect(cache.ask(.of("more"), timeout: .milliseconds(4_900)).error?.retryAfter == 5)
    }

    @Test("During a hold cached tokens are served.")
    func holdServesCache() throws {
        var cache = Simulation(jitterFraction: 0)
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        _ = cache.ask(.of("bob"))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(3_000)))
        cache.suspend(.seconds(800))
        #expect(cache.ask(.of("ann")).served != nil)
        #expect(cache.orders().isEmpty)
        cache.suspend(.seconds(150))
        #expect(cache.ask(.of("ann")).served?.isStale == true)
    }

    @Test(
        "After a change of the secret the call is retried first in line, and no caller notices. A second denial counts."
    )
    func changedSecret() throws {
        var cache = Simulation(tenants: ["main": .test(concurrent: 1)])
        for name in ["ann", "bob"] { _ = cache.ask(.of(name)) }
        let denied = CallFailure.denied(ErrorReply.Upstream(status: 401), secretChanged: true)
        #expect(cache.fail(try cache.onlyMint(), denied).isEmpty)
        let again = cache.mints()
        #expect(again.map(\.key) == [.of("ann")])
        #expect(cache.fail(again[0].call, denied).map(\.reply.error?.code) == [.denied])
        #expect(cache.mints().map(\.key) == [.of("bob")])
    }

    @Test("One tenant's hold doesn't affect another tenant.")
    func tenants() throws {
        var cache = Simulation(tenants: ["main": .test(), "other": .test()])
        _ = cache.ask(.of("ann"))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(60)))
        #expect(cache.ask(.of("ann", tenant: "other")) == .wait)
        #expect(cache.mints().count == 1)
    }
}
