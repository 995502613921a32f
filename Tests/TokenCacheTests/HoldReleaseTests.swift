import OperatorReplies
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Releases of holds by operators")
struct HoldReleaseTests {
    private static let operatorPeer = Peer(uid: 0, gid: 0)

    /// Has a tenant hold all calls.
    private func hold(
        _ cache: inout Simulation,
        _ tenant: TenantID = "main",
        _ failure: CallFailure = .throttled(retryAfter: .seconds(100))
    ) throws {
        #expect(cache.ask(.of("first", tenant: tenant)) == .wait)
        cache.fail(try cache.onlyMint(), failure)
        #expect(cache.stats().tenants[tenant.name]?.hold == 100)
        #expect(cache.takeNotices().contains(.held(tenant.name, .seconds(100))))
    }

    @Test(
        "Calls that wait go at once, as many as the bucket has, and a caller who was told to come back is served.",
        arguments: [
            CallFailure.throttled(retryAfter: .seconds(100)),
            .unavailable("the tenant answered with status 503", retryAfter: .usable(.seconds(100))),
        ]
    )
    func release(failure: CallFailure) throws {
        var cache = Simulation(tenants: ["main": .test(rate: 60, burst: 3)], jitterFraction: 0)
        try hold(&cache, "main", failure)
        #expect(cache.ask(.of("told")).error?.retryAfter == 100)
        for name in ["one", "two", "three"] { #expect(cache.ask(.of(name), timeout: .seconds(300)) == .wait) }
        #expect(cache.orders().isEmpty)
        #expect(cache.releaseHolds(for: Self.operatorPeer) == 1)
        #expect(cache.mints().map(\.key) == [.of("one"), .of("two")])
        #expect(cache.ask(.of("told")) == .wait)
        cache.advance(.seconds(2))
        #expect(cache.mints().map(\.key) == [.of("three"), .of("told")])
        #expect(cache.stats().tenants["main"]?.hold == nil)
    }

    @Test("The end is in the audit trail and in the log, with the time that was left. So is a release of nothing.")
    func records() throws {
        var cache = Simulation(tenants: ["main": .test(), "other": .test(), "well": .test()], jitterFraction: 0)
        try hold(&cache, "main")
        try hold(&cache, "other")
        cache.advance(.seconds(40))
        let before = cache.records.count
        #expect(cache.releaseHolds(for: Self.operatorPeer) == 2)
        #expect(cache.releaseHolds(for: Self.operatorPeer) == 0)
        #expect(cache.releaseHolds(of: "well", for: Self.operatorPeer) == 0)
        let acts: [AuditRecord.Act] = [
            .releaseHold(tenant: "main", left: .seconds(60)), .releaseHold(tenant: "other", left: .seconds(60)),
            .noHold(tenant: nil), .noHold(tenant: "well"),
        ]
        #expect(cache.records.dropFirst(before) == acts.map { AuditRecord(Self.operatorPeer, $0) }[...])
        #expect(cache.takeNotices() == [.holdReleased("main", .seconds(60)), .holdReleased("other", .seconds(60))])
    }

    @Test("Only the named tenant's hold ends, and the tenant can set another one.")
    func oneTenant() throws {
        var cache = Simulation(tenants: ["main": .test(), "other": .test()], jitterFraction: 0)
        try hold(&cache, "main")
        try hold(&cache, "other")
        #expect(cache.releaseHolds(of: "main", for: Self.operatorPeer) == 1)
        #expect(cache.ask(.of("ann", tenant: "other")).error?.code == .rateLimited)
        #expect(cache.ask(.of("ann")) == .wait)
        cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(30)))
        #expect(cache.ask(.of("bob")).error?.retryAfter == 30)
    }

    @Test("An open circuit stays open.")
    func circuit() throws {
        var cache = Simulation()
        try OpenCircuitTests.open(&cache)
        #expect(cache.releaseHolds(for: Self.operatorPeer) == 0)
        #expect(cache.ask(.of("ann"), timeout: .seconds(1)).error?.code == .unavailable)
    }

    @Test("A tenant that a reload has removed has no hold to release.")
    func retired() throws {
        var cache = Simulation(jitterFraction: 0)
        _ = cache.ask(.of("slow"))
        _ = try cache.onlyMint()
        try hold(&cache)
        cache.reconfigure(tenants: ["new": .test()])
        #expect(cache.releaseHolds(of: "main", for: Self.operatorPeer) == 0)
        #expect(cache.orders().isEmpty)
    }
}
