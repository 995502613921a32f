import OperatorReplies
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("The cache's state for metrics")
struct SnapshotTests {
    private let ann = TokenKey.of("ann")

    @Test("A caller's wait is recorded however it ends: by a token, its timeout or the end of its connection.")
    func waits() throws {
        var cache = Simulation()
        #expect(cache.ask(ann, timeout: .seconds(2)) == .wait)
        let waiter = cache.newWaiter()
        #expect(cache.ask(ann, as: waiter) == .wait)
        #expect(cache.ask(ann) == .wait)
        cache.advance(.seconds(1))
        cache.cancelWaits(of: [waiter])
        #expect(cache.snapshot.waits.count == 1)
        #expect(cache.snapshot.waits.sum == 1)
        cache.advance(.seconds(1))
        #expect(cache.snapshot.waits.count == 2)
        cache.advance(.seconds(1))
        cache.succeed(try cache.onlyMint())
        #expect(cache.snapshot.waits.count == 3)
        #expect(cache.snapshot.waits.sum == 6)
        #expect(cache.snapshot.waits.count(upTo: 1) == 1)
        #expect(cache.snapshot.waits.count(upTo: 2.5) == 2)
        #expect(cache.snapshot.waiting == 0)
    }

    @Test("Logouts and requests that don't wait are no waits of callers.")
    func otherWaits() throws {
        var cache = Simulation()
        try cache.warm(ann)
        let waits = cache.snapshot.waits.count
        #expect(cache.revoke(ann.user) == nil)
        #expect(cache.snapshot.waiting == 1)
        cache.endRevocation(try #require(cache.revocations().first), .accepted)
        #expect(cache.ask(ann, timeout: .zero) == .fail(.timedOut))
        #expect(cache.snapshot.waits.count == waits)
    }

    @Test("The lifetime left is recorded whenever a token is handed out, as whole seconds.")
    func lifetimes() throws {
        var cache = Simulation()
        try cache.warm(ann, lifetime: .seconds(1_024))
        #expect(cache.snapshot.lifetimes.count == 1)
        #expect(cache.snapshot.lifetimes.sum == 1_024)
        cache.suspend(.milliseconds(500))
        _ = cache.ask(ann)
        #expect(cache.snapshot.lifetimes.count == 2)
        #expect(cache.snapshot.lifetimes.sum == 1_024 + 1_023)
    }

    @Test(
        "A lifetime counts up to and including the next power of two.",
        arguments: [(1, 16), (16, 16), (17, 32), (32, 32), (21_600, 32_768), (65_536, 65_536), (86_400, nil)]
            as [(Int, Int?)]
    )
    func powers(_ seconds: Int, _ bound: Int?) {
        var lifetimes = LifetimeHistogram()
        lifetimes.record(seconds)
        let expected = LifetimeHistogram.bounds.map { each in each >= bound ?? .max ? 1 : 0 }
        #expect(lifetimes.upToBounds == expected)
        #expect(lifetimes.count == 1)
    }

    @Test("The ends of calls are counted by tenant, cause and outcome, and stats adds them up.")
    func calls() throws {
        var cache = Simulation()
        try cache.warm(ann)
        _ = cache.prefetch([.of("bob")])
        cache.fail(try cache.onlyMint(), .malformed("it is HTML"))
        _ = cache.revoke(ann.user)
        cache.endRevocation(try #require(cache.revocations().first), .denied)
        let counts = try #require(cache.snapshot.calls.byName["main"])
        #expect(counts[.caller, nil] == 1)
        #expect(counts[.prefetch, .badUpstream] == 1)
        #expect(counts[.prefetch, nil] == 0)
        #expect(counts[.failed] == 1)
        #expect(counts[.revoked] == 0)
        #expect(cache.stats().mints.succeeded == 1)
        #expect(cache.stats().mints.failed == ["bad_upstream": 1])
    }

    @Test("Past a number of tenants, calls are counted together.")
    func manyTenants() {
        var calls = CallCountsByTenant()
        for number in 0..<5_000 {
            calls.change(TenantID(number: UInt32(number), name: "t\(number)")) { $0.count(.caller, nil) }
        }
        #expect(calls.byName.count == 4_097)
        #expect(calls.byName["other"]?[.caller, nil] == 904)
        #expect(calls.mints.succeeded == 5_000)
    }

    @Test("Times are counted up to a bound within a hundredth, and their sum is exact.")
    func latencies() {
        var latencies = LatencyHistogram()
        latencies.record(.microseconds(45), count: 3)
        latencies.record(.milliseconds(30))
        latencies.record(.seconds(4_000))
        #expect(latencies.count == 5)
        #expect(latencies.count(upTo: 0.00005) == 3)
        #expect(latencies.count(upTo: 0.025) == 3)
        #expect(latencies.count(upTo: 0.05) == 4)
        #expect(latencies.count(upTo: 60) == 4)
        #expect(latencies.sum == 600.030135, "the longest time that is told apart is ten minutes")
    }
}

extension Simulation {
    fileprivate var snapshot: CacheSnapshot { machine.snapshot(now: now) }
}
