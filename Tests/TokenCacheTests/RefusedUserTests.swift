import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

@Suite("A refused user")
struct RefusedUserTests {
    private static let unknown = MintFailure.denied(
        ErrorReply.Upstream(status: 401, code: "OAUTH-14", title: "Unknown user"),
        secretChanged: false
    )

    private func refuse(
        _ cache: inout Simulation,
        _ key: TokenKey = .of("ann"),
        _ failure: MintFailure = Self.unknown
    ) throws -> ErrorReply? {
        #expect(cache.ask(key) == .wait)
        return cache.fail(try cache.onlyMint(), failure).first?.reply.error
    }

    @Test("The refusal is remembered for that key alone, with what the tenant said and when to come back.")
    func remembered() throws {
        var cache = Simulation()
        let error = try refuse(&cache)
        #expect(error?.code == .denied)
        #expect(error?.upstream == ErrorReply.Upstream(status: 401, code: "OAUTH-14", title: "Unknown user"))
        #expect(error?.retryAfter == 10)
        cache.suspend(.milliseconds(9_001))
        #expect(cache.ask(.of("ann")).refusal?.retryAfter == 1)
        #expect(cache.ask(.of("ann", scope: "other")) == .wait)
        #expect(cache.stats().negativeEntries == 1)
        cache.suspend(.milliseconds(999))
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("An app that has just created the user gets past it by no_cache, from its forced allowance.")
    func pastIt() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 80, burst: 4)])
        _ = try refuse(&cache)
        #expect(cache.ask(.of("ann"), noCache: true, peer: 1) == .wait)
        #expect(cache.fail(try cache.onlyMint(), Self.unknown).first?.reply.error?.retryAfter == 20)
        #expect(cache.ask(.of("ann"), noCache: true, peer: 1).refusal?.code == .rateLimited)
        #expect(cache.ask(.of("ann"), noCache: true, peer: 2) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(cache.ask(.of("ann")).served != nil)
    }

    @Test("In a hold a refused user is told the later of both ends.")
    func inHold() throws {
        var cache = Simulation(draw: 0)
        _ = try refuse(&cache)
        _ = cache.ask(.of("bob"))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(14)))
        #expect(cache.ask(.of("ann")).refusal?.code == .denied)
        #expect(cache.ask(.of("ann")).refusal?.retryAfter == 14)
    }

    @Test("It doubles while it goes on, up to five minutes; a success ends it.")
    func doubling() throws {
        var cache = Simulation()
        for length in [10, 20, 40, 80, 160, 300, 300] {
            #expect(try refuse(&cache)?.retryAfter == length)
            cache.advance(.seconds(length))
        }
        #expect(cache.ask(.of("ann")) == .wait)
        cache.succeed(try cache.onlyMint())
        cache.evict(TokenKey.of("ann").user, scopes: nil)
        #expect(try refuse(&cache)?.retryAfter == 10)
    }

    @Test("A negative_ttl of 0 remembers nothing beyond the moment that every failure stands.")
    func off() throws {
        var policy = CachePolicy()
        policy.negativeTTL = .zero
        var cache = Simulation(policy: policy)
        #expect(try refuse(&cache)?.retryAfter == 1)
        cache.suspend(.milliseconds(500))
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("Refused users are bounded in number and take no place from tokens.")
    func bounded() throws {
        var policy = CachePolicy()
        policy.maxEntries = 3
        var cache = Simulation(policy: policy)
        for name in ["one", "two", "three"] { try cache.warm(.of(name)) }
        let unknown = MintFailure.denied(ErrorReply.Upstream(status: 404), secretChanged: false)
        for name in ["ann", "bob", "cid", "dan"] { _ = try refuse(&cache, .of(name), unknown) }
        let stats = cache.stats()
        #expect(stats.entries == 3)
        #expect(stats.negativeEntries == 3)
        #expect(stats.evictions["capacity"] == 0)
    }

    @Test("A new secret forgets the refusals that may have been its fault.")
    func newSecret() throws {
        var cache = Simulation()
        _ = try refuse(&cache)
        cache.secretChanged(of: "main")
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("A refusal is forgotten in the end.")
    func forgotten() throws {
        var cache = Simulation()
        _ = try refuse(&cache)
        cache.advance(.seconds(311))
        #expect(cache.stats().negativeEntries == 0)
        #expect(cache.wake == nil)
    }
}
