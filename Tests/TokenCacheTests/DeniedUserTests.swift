import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

@Suite("A denied user")
struct DeniedUserTests {
    private static let unknown = CallFailure.denied(
        ErrorReply.Upstream(status: 401, code: "OAUTH-14", title: "Unknown user"),
        secretChanged: false
    )

    private func deny(
        _ cache: inout Simulation,
        _ key: TokenKey = .of("ann"),
        _ failure: CallFailure = Self.unknown
    ) throws -> ErrorReply? {
        #expect(cache.ask(key) == .wait)
        return cache.fail(try cache.onlyMint(), failure).first?.reply.error
    }

    @Test("The denial is remembered for that key alone, with the tenant's answer and the time to come back.")
    func remembered() throws {
        var cache = Simulation()
        let error = try deny(&cache)
        #expect(error?.code == .denied)
        #expect(error?.upstream == ErrorReply.Upstream(status: 401, code: "OAUTH-14", title: "Unknown user"))
        #expect(error?.retryAfter == 10)
        cache.suspend(.milliseconds(9_001))
        #expect(cache.ask(.of("ann")).error?.retryAfter == 1)
        #expect(cache.ask(.of("ann", scope: "other")) == .wait)
        #expect(cache.stats().negativeEntries == 1)
        cache.suspend(.milliseconds(999))
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("An app that has just created the user gets past the denial by no_cache, from its forced allowance.")
    func pastIt() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 80, burst: 4)])
        _ = try deny(&cache)
        #expect(cache.ask(.of("ann"), noCache: true, peer: 1) == .wait)
        #expect(cache.fail(try cache.onlyMint(), Self.unknown).first?.reply.error?.retryAfter == 20)
        #expect(cache.ask(.of("ann"), noCache: true, peer: 1).error?.code == .rateLimited)
        #expect(cache.ask(.of("ann"), noCache: true, peer: 2) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(cache.ask(.of("ann")).served != nil)
    }

    @Test("In a hold a denied user is told the later of both ends.")
    func inHold() throws {
        var cache = Simulation(jitterFraction: 0)
        _ = try deny(&cache)
        _ = cache.ask(.of("bob"))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(14)))
        #expect(cache.ask(.of("ann")).error?.code == .denied)
        #expect(cache.ask(.of("ann")).error?.retryAfter == 14)
    }

    @Test("A denial doubles each time, up to five minutes. A success ends it.")
    func doubling() throws {
        var cache = Simulation()
        for length in [10, 20, 40, 80, 160, 300, 300] {
            #expect(try deny(&cache)?.retryAfter == length)
            cache.advance(.seconds(length))
        }
        #expect(cache.ask(.of("ann")) == .wait)
        cache.succeed(try cache.onlyMint())
        cache.evict(TokenKey.of("ann").user, scopes: nil)
        #expect(try deny(&cache)?.retryAfter == 10)
    }

    @Test("A negative_ttl of 0 remembers a denial no longer than any other failure.")
    func off() throws {
        var policy = CachePolicy()
        policy.negativeTTL = .zero
        var cache = Simulation(policy: policy)
        #expect(try deny(&cache)?.retryAfter == 1)
        cache.suspend(.milliseconds(500))
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("Negative entries are bounded in number and evict no tokens.")
    func bounded() throws {
        var policy = CachePolicy()
        policy.maxEntries = 3
        var cache = Simulation(policy: policy)
        for name in ["one", "two", "three"] { try cache.warm(.of(name)) }
        let unknown = CallFailure.denied(ErrorReply.Upstream(status: 404), secretChanged: false)
        for name in ["ann", "bob", "cid", "dan"] { _ = try deny(&cache, .of(name), unknown) }
        let stats = cache.stats()
        #expect(stats.entries == 3)
        #expect(stats.negativeEntries == 3)
        #expect(stats.evictions["capacity"] == 0)
    }

    @Test("A new secret forgets the denials that the old one may have caused.")
    func newSecret() throws {
        var cache = Simulation()
        _ = try deny(&cache)
        cache.secretChanged(of: "main")
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("A denial is forgotten in the end.")
    func forgotten() throws {
        var cache = Simulation()
        _ = try deny(&cache)
        cache.advance(.seconds(311))
        #expect(cache.stats().negativeEntries == 0)
        #expect(cache.wake == nil)
    }
}
