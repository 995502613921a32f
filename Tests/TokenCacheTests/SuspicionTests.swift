import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("A suspected client")
struct SuspicionTests {
    private static let said = ErrorReply.Upstream(status: 401, code: "OAUTH-1")
    static let unauthorized = CallFailure.denied(said, secretChanged: false)

    /// Denies users with 401, and returns the calls that are sent then.
    private func deny(_ cache: inout Simulation, _ names: [String]) throws -> [(call: CallID, key: TokenKey)] {
        var next: [(call: CallID, key: TokenKey)] = []
        for name in names {
            #expect(cache.ask(.of(name)) == .wait)
            let call = try #require(cache.mints().last?.call)
            cache.fail(call, Self.unauthorized)
            next = cache.mints()
        }
        return next
    }

    private func health(_ cache: inout Simulation) -> HealthReply {
        cache.machine.health(now: cache.now, wall: Date(timeIntervalSince1970: 1_795_000_000))
    }

    @Test("After three denied users in a row the last accepted one is the probe. If that is accepted, all is well.")
    func accepted() throws {
        var cache = Simulation()
        try cache.warm(.of("known"))
        #expect(try deny(&cache, ["a", "b"]).isEmpty)
        let probe = try deny(&cache, ["c"])
        #expect(probe.map(\.key) == [.of("known")])
        #expect(health(&cache).status == .degraded)
        #expect(cache.ask(.of("other")) == .wait, "nobody is locked out")
        cache.succeed(probe[0].call)
        #expect(health(&cache).status == .ok)
        #expect(
            cache.takeNotices() == [.clientSuspected("main", Self.said, isProbed: true), .clientAccepted("main")]
        )
    }

    @Test("If the probe is denied, too, the circuit opens, and health fails and names the reason. A success ends it.")
    func denied() throws {
        var cache = Simulation(jitterFraction: 0.5)
        try cache.warm(.of("known"))
        let probe = try deny(&cache, ["a", "b", "c"])
        cache.fail(probe[0].call, Self.unauthorized)
        let health = health(&cache)
        #expect(health.status == .failing)
        let check = try #require(health.checks.first { $0.status == .failing })
        #expect(check.name == "client")
        #expect(check.description?.contains("401") == true)
        #expect(check.since == "2026-11-18T11:06:40Z")
        let error = cache.ask(.of("new"), timeout: .seconds(1)).error
        #expect(error?.code == .unavailable)
        #expect(error?.description.contains("client") == true)
        #expect(cache.ask(.of("known")).served != nil)
        #expect(
            cache.takeNotices() == [
                .clientSuspected("main", Self.said, isProbed: true), .clientDenied("main"),
                .circuitOpened("main", .seconds(5)),
            ]
        )
        cache.suspend(.seconds(5))
        #expect(cache.ask(.of("new")) == .wait)
        cache.fail(try cache.onlyMint(), Self.unauthorized)
        #expect(cache.ask(.of("other"), timeout: .seconds(1)).error?.retryAfter == 10)
        cache.suspend(.seconds(10))
        #expect(cache.ask(.of("other")) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(self.health(&cache).status == .ok)
        #expect(cache.ask(.of("third")) == .wait)
    }

    @Test("Without an accepted user nothing opens, and health is degraded.")
    func noKey() throws {
        var cache = Simulation()
        #expect(try deny(&cache, ["a", "b", "c", "d", "e", "f"]).isEmpty)
        #expect(health(&cache).status == .degraded)
        #expect(cache.ask(.of("g")) == .wait)
        #expect(cache.takeNotices() == [.clientSuspected("main", Self.said, isProbed: false)])
    }

    @Test("An accepted user in between, or another denial, resets the count of 401s. Each user counts once.")
    func row() throws {
        var cache = Simulation()
        try cache.warm(.of("known"))
        _ = try deny(&cache, ["a", "b"])
        try cache.warm(.of("good"))
        _ = try deny(&cache, ["c", "d"])
        _ = cache.ask(.of("disabled"))
        cache.fail(try cache.onlyMint(), .denied(ErrorReply.Upstream(status: 403), secretChanged: false))
        _ = try deny(&cache, ["e", "f"])
        cache.suspend(.seconds(11))
        #expect(try deny(&cache, ["e"]).isEmpty)
        #expect(cache.stats().tenants["main"]?.client == "doubtful")
    }

    @Test("A new secret ends the suspicion and closes the circuit.")
    func newSecret() throws {
        var cache = Simulation()
        try cache.warm(.of("known"))
        cache.fail(try deny(&cache, ["a", "b", "c"])[0].call, Self.unauthorized)
        #expect(health(&cache).status == .failing)
        cache.secretChanged(of: "main")
        #expect(health(&cache).status == .ok)
        #expect(cache.ask(.of("a")) == .wait)
        #expect(cache.mints().count == 1)
    }

    @Test("A probe that ends in a fault proves nothing. The next denied users cause another.")
    func inconclusive() throws {
        var cache = Simulation()
        try cache.warm(.of("known"))
        let probe = try deny(&cache, ["a", "b", "c"])
        cache.fail(probe[0].call, OpenCircuitTests.down)
        #expect(health(&cache).status == .degraded)
        #expect(try deny(&cache, ["d", "e", "f"]).map(\.key) == [.of("known")])
    }

    @Test("While the client is denied, an answer that says nothing of it closes nothing. Only a mint does.")
    func answers() throws {
        var cache = Simulation(jitterFraction: 0.5)
        try cache.warm(.of("known"))
        cache.fail(try deny(&cache, ["a", "b", "c"])[0].call, Self.unauthorized)
        cache.suspend(.seconds(5))
        #expect(cache.ask(.of("d")) == .wait)
        cache.fail(try cache.onlyMint(), .denied(ErrorReply.Upstream(status: 403), secretChanged: false))
        #expect(cache.stats().tenants["main"]?.state == "half_open")
        #expect(cache.ask(.of("e")) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(cache.stats().tenants["main"]?.state == "closed")
    }

    @Test("A queued probe is not sent after the suspicion ends, as nobody requested its token.")
    func staleProbe() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 5, concurrent: 100)])
        try cache.warm(.of("known"))
        _ = cache.ask(.of("late"))
        let late = try cache.onlyMint()
        #expect(try deny(&cache, ["a", "b", "c"]).isEmpty, "the bucket is empty")
        cache.succeed(late)
        cache.advance(.seconds(5))
        #expect(cache.mints().isEmpty)
        #expect(health(&cache).status == .ok)
    }

    @Test("A denial with a secret that has changed since doesn't count.")
    func oldSecret() throws {
        var cache = Simulation()
        try cache.warm(.of("known"))
        for name in ["a", "b", "c", "d"] {
            _ = cache.ask(.of(name))
            let denied = CallFailure.denied(ErrorReply.Upstream(status: 401), secretChanged: true)
            cache.fail(try cache.onlyMint(), denied)
            cache.fail(try cache.onlyMint(), denied)
        }
        #expect(health(&cache).status == .ok)
    }

    @Test("A queued probe whose user logs out is replaced by one for another user.")
    func probeLoggedOut() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 5, concurrent: 100)])
        try cache.warm(.of("known"))
        try cache.warm(.of("latest"))
        #expect(try deny(&cache, ["a", "b", "c"]).isEmpty, "the bucket is empty")
        _ = cache.revoke(TokenKey.of("latest").user)
        cache.advance(.seconds(1))
        let probe = try cache.onlyMint()
        cache.fail(probe, Self.unauthorized)
        #expect(health(&cache).status == .failing)
    }

    @Test("A user who has logged out is no probe, and no token is minted for them.")
    func noProbeAfterLogout() throws {
        var cache = Simulation()
        try cache.warm(.of("known"))
        _ = cache.revoke(TokenKey.of("known").user)
        for call in cache.revocations() { cache.endRevocation(call, .accepted) }
        #expect(try deny(&cache, ["a", "b", "c"]).isEmpty)
        #expect(health(&cache).status == .degraded)
        #expect(cache.stats().entries == 0)
    }

    @Test("A refresh that becomes the probe is made, even if its user has become idle.")
    func idleProbe() throws {
        var policy = CachePolicy()
        policy.idleTTL = .seconds(5)
        var cache = Simulation(policy: policy, tenants: ["main": .test(rate: 6, burst: 4, concurrent: 100)])
        try cache.warm(.of("known"), lifetime: .seconds(1_000))
        cache.suspend(.seconds(750))
        for name in ["a", "b"] {
            _ = cache.ask(.of(name))
            cache.fail(try cache.onlyMint(), Self.unauthorized)
        }
        _ = cache.ask(.of("c"))
        _ = cache.ask(.of("d"))
        let open = cache.mints()
        #expect(cache.ask(.of("known")).refreshes, "it waits for its turn")
        cache.fail(open[0].call, Self.unauthorized)
        cache.suspend(.seconds(9))
        cache.advance(.seconds(2))
        #expect(cache.mints().map(\.key) == [.of("known")])
    }
}
