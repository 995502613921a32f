import OperatorReplies
import Secrets
import TestSupport
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Logouts")
struct LogoutTests {
    /// One call a second, one at once.
    private static let slow: [TenantID: TenantPolicy] = ["main": .test(rate: 60, burst: 1, concurrent: 100)]
    private static let unreachable = MintFailure.unavailable("the tenant can't be reached", pause: nil)

    /// Has so many users minted, and then a bucket that is empty.
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

    @Test("A revocation that was answered gives way to callers, to those who come later, too.")
    func answered() throws {
        var cache = try warm(20)
        let replies = (0..<20).map { cache.revoke(TokenKey.of("user\($0)").user, peer: 7) }
        // After ten seconds all have been told, and ten are left that nobody waits for.
        #expect(replies.count { $0 == .revoked(true, upstream: false) } == 11)
        #expect(cache.advance(.milliseconds(10_001)).map(\.reply).count { $0 == .revoked(true, upstream: false) } == 9)
        #expect(cache.revocations().count == 10)
        #expect(cache.ask(.of("new"), timeout: .seconds(2), peer: 7) == .wait)
        cache.advance(.seconds(1))
        #expect(cache.mints().map(\.key) == [.of("new")])
    }

    @Test("One whose caller has gone gives way, too; it is made all the same.")
    func left() throws {
        var cache = try warm(2)
        let waiter = cache.newWaiter()
        #expect(cache.revoke(TokenKey.of("user0").user, as: waiter) == nil)
        cache.leave([waiter])
        #expect(cache.ask(.of("new")) == .wait)
        cache.advance(.seconds(2))
        let orders = cache.orders()
        guard case .mint? = orders.first, case .revoke? = orders.last else { return #expect(Bool(false), "\(orders)") }
    }

    @Test("A revocation is dropped when its token has ended by itself, and the audit trail says so.")
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

    @Test("What is still to be revoked when the daemon ends is in the audit trail.")
    func shutDown() throws {
        var cache = try warm(3)
        for index in 0..<3 { _ = cache.revoke(TokenKey.of("user\(index)").user) }
        cache.advance(.seconds(1))
        #expect(cache.revocations().count == 1)
        cache.shutDown()
        #expect(outcomes(cache) == [.dropped, .dropped, .dropped])
    }

    @Test("Of more tokens than can wait to be revoked, those go that end soonest by themselves.")
    func bounded() throws {
        var cache = Simulation(tenants: ["main": .test(rate: 1_000_000, burst: 1_000_000, concurrent: 1_000)])
        let most = CacheStateMachine.mostRevocations
        for index in 0...most { try cache.warm(.of("user\(index)"), lifetime: .seconds(10_000 + index)) }
        _ = cache.ask(.of("bob"))
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(600)))
        for index in (0...most).reversed() { _ = cache.revoke(TokenKey.of("user\(index)").user) }
        #expect(outcomes(cache) == [.dropped])
        #expect(cache.stats().mints.queued.ahead == most)
    }

    @Test("A revocation that waits when the tenant moves to another host is never posted there.")
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

    @Test("A token that comes from the old host after a logout and a reload is revoked nowhere, and that is recorded.")
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

    @Test("A revocation that succeeds doesn't close a circuit that the refused client has opened.")
    func clientCircuit() throws {
        var cache = Simulation(draw: 0.5)
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
        cache.endRevocation(call, .taken)
        #expect(cache.stats().tenants["main"]?.state == "half_open")
        #expect(cache.stats().tenants["main"]?.client == "refused")
        #expect(cache.ask(.of("new")) == .wait)
        #expect(cache.mints().map(\.key) == [.of("new")], "the probe is a mint")
    }

    @Test("Logouts of users without tokens cost the same however much is queued.", .timeLimit(.minutes(1)))
    func manyQueued() {
        var cache = Simulation(tenants: Self.slow)
        for batch in 0..<10 { _ = cache.prefetch((0..<1_000).map { .of("user\(batch)-\($0)") }) }
        for index in 0..<50_000 {
            #expect(cache.revoke(TokenKey.of("nobody\(index)").user) == .revoked(false, upstream: nil))
        }
    }

    @Test("A logout for which there is no room to wait is answered at once, and the token is revoked all the same.")
    func noRoom() throws {
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
