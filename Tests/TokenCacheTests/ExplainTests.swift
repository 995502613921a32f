import OperatorReplies
import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("The answer of explain is the answer of a request")
struct ExplainTests {
    /// Returns the source of a request's answer.
    private func source(_ answer: RequestAnswer) -> ExplainReply.Source {
        switch answer {
        case .serve, .serveAndRefresh: .cache
        case .wait: .tenant
        case .fail: .error
        }
    }

    @Test("Over a whole life, in quiet times, in a hold and while minting fails.", arguments: 0..<4)
    func life(trouble: Int) throws {
        for age in stride(from: 0, through: 1_010, by: 3) {
            var cache = Simulation(jitterFraction: 0.5)
            try cache.warm(.of("ann"), lifetime: .seconds(1_000))
            cache.suspend(.seconds(age))
            switch trouble {
            case 1:
                _ = cache.ask(.of("bob"))
                cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(600)))
            case 2:
                if cache.ask(.of("ann"), minTTL: .seconds(999)) == .wait, let mint = cache.mints().first {
                    cache.fail(mint.call, .unavailable("down", retryAfter: nil))
                }
            case 3: _ = cache.ask(.of("ann"))
            default: break
            }
            let explained = cache.machine.explain(.of("ann"), for: 7, now: cache.now)
            let answer = cache.ask(.of("ann"))
            #expect(explained.source == source(answer), "at \(age) s: \(explained.reason)")
        }
    }

    @Test("Between the preferred min_ttl and the margin the caller waits, and explain says so.")
    func waits() throws {
        var cache = Simulation()
        try cache.warm(.of("ann"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(950))
        let explained = cache.machine.explain(.of("ann"), for: 7, now: cache.now)
        #expect(explained.source == .tenant && explained.state == .expiring)
        #expect(cache.ask(.of("ann")) == .wait)
    }

    @Test("An empty allowance of forced mints and too many mints of a user are in both answers.")
    func limits() throws {
        var forced = Simulation(tenants: ["main": .test(rate: 4, burst: 4)])
        for (number, name) in ["ann", "bob"].enumerated() {
            try forced.warm(.of(name))
            #expect(forced.invalidate(.of(name), AccessToken("token-\(number + 1)").fingerprint) == .dropped)
        }
        #expect(agrees(&forced, .of("ann")) == .wait)
        let error = agrees(&forced, .of("bob")).error
        #expect(error?.code == .rateLimited && error?.description.contains("forced") == true)

        var full = Simulation(tenants: ["main": .test(concurrent: 1)])
        let scopes = (0..<CacheStateMachine.maxMintsPerUser).map { "s\($0)" }
        #expect(full.prefetch(scopes.map { .of("ann", scope: $0) }).queued == scopes.count)
        let tooMany = agrees(&full, .of("ann")).error
        #expect(tooMany?.code == .overloaded && tooMany?.description.contains("this user") == true)
        #expect(agrees(&full, .of("bob")) == .wait)
    }

    @Test("While another uid waits, a uid past its share is told so by both.")
    func quota() {
        var policy = CachePolicy()
        policy.waitingShare = 3.5 / Double(CacheStateMachine.maxWaiters)
        var cache = Simulation(policy: policy)
        #expect(cache.ask(.of("ann"), peer: 8) == .wait)
        for _ in 0..<3 { #expect(agrees(&cache, .of("ann")) == .wait) }
        #expect(agrees(&cache, .of("ann")).error?.code == .overloaded)
        #expect(cache.stats().uids[7]?.overloaded == 1, "the request is counted, the explanation isn't")
    }

    @Test("The key that is explained is named, and a denied user's error has the tenant's own words.")
    func keyAndUpstream() throws {
        var cache = Simulation()
        #expect(cache.ask(.of("ann", scope: "b a")) == .wait)
        let upstream = ErrorReply.Upstream(status: 401, code: "OAUTH-14", title: "User not found")
        cache.fail(try cache.onlyMint(), .denied(upstream, secretChanged: false))
        let explained = cache.machine.explain(.of("ann", scope: "a b"), for: 7, now: cache.now)
        #expect(explained.key == .init(tenant: "main", subject: "ann", scope: "a b"))
        #expect(explained.state == .denied)
        #expect(explained.lastError?.upstream == .init(status: 401, code: "OAUTH-14", title: "User not found"))
        let lookup = UserLookup(field: .userID, value: "7")
        let byID = TokenKey(tenant: "main", user: lookup, scopes: try #require(ScopeSet("a")))
        let other = cache.machine.explain(byID, for: 7, now: cache.now)
        #expect(other.key == .init(tenant: "main", userID: "7", scope: "a"))
    }

    /// Explains a key's next answer, requests it, and checks that both agree.
    private func agrees(_ cache: inout Simulation, _ key: TokenKey) -> RequestAnswer {
        let explained = cache.machine.explain(key, for: 7, now: cache.now)
        let answer = cache.ask(key)
        #expect(explained.source == source(answer), "\(explained.reason)")
        if let error = answer.error { #expect(explained.reason == error.description) }
        return answer
    }
}
