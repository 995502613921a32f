import OperatorReplies
import Secrets
import TestSupport
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Logouts")
struct LogoutTests {
    /// One call per second and no burst.
    private static let slow: [TenantID: TenantPolicy] = ["main": .test(rate: 60, burst: 1, concurrent: 100)]
    private static let unreachable = CallFailure.unavailable("the tenant can't be reached", retryAfter: nil)

    /// Mints a number of users, which empties the bucket.
    private func warm(_ count: Int, lifetime: Duration = .seconds(21_600)) throws -> Simulation {
        var cache = Simulation(tenants: Self.slow)
        for index in 0..<count {
            try cache.warm(.of("user\(index)"), lifetime: lifetime)
            cache.advance(.seconds(1))
        }
        #expect(cache.ask(.of("first"), peer: 9) == .wait)
        #expect(cache.mints().count == 1)
        return cache
    }

    private func outcomes(_ cache: borrowing Simulation) -> [AuditRecord.RevocationEnd] {
        cache.records.compactMap { record in
            if case .revocation(_, _, _, let end) = record.act { end } else { nil }
        }
    }

    @Test("A revocation that was answered goes after all callers' calls, including later ones.")
    func answered() throws {
        var cache = try warm(20)
        let replies = (0..<20).map { cache.revoke(TokenKey.of("user\($0)").user, peer: 7) }
        // After ten seconds all have a reply, and ten calls are left that nobody waits for.
        #expect(replies.count { $0 == .revoked(true, upstream: false) } == 11)
        #expect(cache.advance(.milliseconds(10_001)).map(\.reply).count { $0 == .revoked(true, upstream: false) } == 9)
        #expect(cache.revocations().count == 10)
        #expect(cache.ask(.of("new"), timeout: .seconds(2), peer: 7) == .wait)
        cache.advance(.seconds(1))
        #expect(cache.mints().map(\.key) == [.of("new")])
    }

    @Test("A revocation whose caller is gone goes after them, too, but is still made.")
    func left() throws {
        var cache = try warm(2)
        let waiter = cache.newWaiter()
        #expect(cache.revoke(TokenKey.of("user0").user, as: waiter) == nil)
        cache.cancelWaits(of: [waiter])
        #expect(cache.ask(.of("new")) == .wait)
        cache.advance(.seconds(2))
        let orders = cache.orders()
        guard case .mint? = orders.first, case .revoke? = orders.last else { return #expect(Bool(false), "\(orders)") }
    }

    @Test("A revocation is dropped when its token has expired, and the audit trail says so.")
    func expired() throws {
        var cache = try warm(1, lifetime: .seconds(30))
        _ = cache.ask(.of("bob"))
        cache.advance(.seconds(1))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(600)))
        #expect(cache.revoke(TokenKey.of("user0").user) == .revoked(true, upstream: false))
        #expect(outcomes(cache).isEmpty)
        cache.advance(.seconds(30))
        #expect(outcomes(cache) == [.expired])
        #expect(cache.stats().mints.queued.ahead == 0)
        cache.advance(.seconds(700))
        #expect(cache.revocations().isEmpty)
    }

    @Test("Revocations that are left when the daemon ends are in the audit trail.")
    func shutDown() throws {
        var cache = try warm(3)
        for index in 0..<3 { _ = cache.revoke(TokenKey.of("user\(index)").user) }
        cache.advance(.seconds(1))
        #expect(cache.revocations().count == 1)
        cache.shutDown()
        #expect(outcomes(cache) == [.dropped, .dropped, .dropped])
    }

    @Test("Beyond the maximum number of revocations the tokens that expire soonest are dropped.")
    func bounded() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 1_000_000, burst: 1_000_000, concurrent: 1_000)])
        let most = CacheStateMachine.maxRevocations
        for index in 0...most { try cache.warm(.of("user\(index)"), lifetime: .seconds(10_000 + index)) }
        _ = cache.ask(.of("bob"))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(600)))
        for index in (0...most).reversed() { _ = cache.revoke(TokenKey.of("user\(index)").user) }
        #expect(outcomes(cache) == [.dropped])
        #expect(cache.stats().mints.queued.ahead == most)
    }

    @Test("A queued revocation is never sent to another host of the tenant.")
    func queuedAcrossReload() throws {
        var cache = try warm(1)
        let waiter = cache.newWaiter()
        #expect(cache.revoke(TokenKey.of("user0").user, as: waiter) == nil)
        let moved = TenantID(number: 9, name: "main")
        let replies = cache.reconfigure(tenants: [moved: .test(host: "https://two.example")])
        #expect(replies == [Delivery(waiter: waiter, reply: .revoked(true, upstream: false))])
        #expect(outcomes(cache) == [.dropped])
        cache.advance(.seconds(100))
        #expect(cache.orders().isEmpty)
    }

    @Test("A token that the old host minted after a logout and a reload is not revoked, and that is recorded.")
    func lateAcrossReload() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"))
        let mint = try cache.onlyMint()
        #expect(cache.revoke(TokenKey.of("ann").user) == .revoked(false, upstream: nil))
        cache.reconfigure(tenants: [TenantID(number: 9, name: "main"): .test(host: "https://two.example")])
        cache.succeed(mint)
        #expect(cache.orders().isEmpty)
        #expect(outcomes(cache) == [.dropped])
    }

    @Test("A logout after the reload reaches the mint that is still under way at the old host.")
    func logoutAfterReload() throws {
        var cache = Simulation()
        _ = cache.ask(.of("ann"))
        let mint = try cache.onlyMint()
        let moved = TenantID(number: 9, name: "main")
        cache.reconfigure(tenants: [moved: .test(host: "https://two.example")])
        #expect(cache.revoke(TokenKey.of("ann", tenant: moved).user) == .revoked(false, upstream: nil))
        #expect(cache.takeDeliveries().map(\.reply.error?.code) == [.unavailable])
        #expect(cache.succeed(mint).isEmpty)
    }

    @Test("A revocation that succeeds doesn't close a circuit that a denied client has opened.")
    func clientCircuit() throws {
        var cache = Simulation(jitterFraction: 0.5)
        try cache.warm(.of("known"))
        try cache.warm(.of("bob"))
        for name in ["a", "b", "c"] {
            _ = cache.ask(.of(name))
            cache.fail(try #require(cache.mints().last?.call), SuspicionTests.unauthorized)
        }
        cache.fail(try cache.onlyMint(), SuspicionTests.unauthorized)
        #expect(cache.stats().tenants["main"]?.state == "open")
        _ = cache.revoke(TokenKey.of("known").user)
        cache.advance(.seconds(5))
        let call = try #require(cache.revocations().first)
        cache.endRevocation(call, .accepted)
        #expect(cache.stats().tenants["main"]?.state == "half_open")
        #expect(cache.stats().tenants["main"]?.client == "refused")
        #expect(cache.ask(.of("new")) == .wait)
        #expect(cache.mints().map(\.key) == [.of("new")], "the probe is a mint")
    }

    @Test("Logouts of users without tokens cost the same however many calls are queued.", .timeLimit(.minutes(1)))
    func manyQueued() {
        var cache = Simulation(tenants: Self.slow)
        for batch in 0..<10 { _ = cache.prefetch((0..<1_000).map { .of("user\(batch)-\($0)") }) }
        for index in 0..<50_000 {
            #expect(cache.revoke(TokenKey.of("nobody\(index)").user) == .revoked(false, upstream: nil))
        }
    }

    @Test("A logout that may not wait is answered at once, and the token is still revoked.")
    func overLimit() throws {
        var policy = CachePolicy()
        policy.waitingShare = 0.000_01
        var cache = Simulation(policy: policy, tenants: Self.slow)
        try cache.warm(.of("ann"), peer: 1)
        #expect(cache.ask(.of("x"), timeout: .seconds(60), peer: 2) == .wait)
        #expect(cache.ask(.of("y"), timeout: .seconds(60), peer: 1) == .wait)
        #expect(cache.revoke(TokenKey.of("ann").user, peer: 1) == .revoked(true, upstream: false))
        cache.advance(.seconds(5))
        #expect(cache.revocations().count == 1)
    }
}
