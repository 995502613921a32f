import OperatorReplies
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("A tenant that is away for a quarter of an hour")
struct OutageTests {
    private static let users = 60
    private static let outage = 600..<1_500
    private static let end = 2_400

    /// A call under way, and the time of its end.
    private struct Open {
        let call: CallID
        let back: Instant
    }

    @Test(
        "Users whose tokens outlive it don't notice. Afterwards calls keep to the rate, and all tokens are renewed.",
        arguments: 0..<20
    )
    func outage(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let policy = TenantPolicy.test(rate: 80, burst: 80)
        var cache = Simulation(tenants: ["main": policy], jitterFraction: Double(random.below(1_000)) / 1_000)
        var ends: [TokenKey: Instant] = [:]
        for user in 0..<Self.users {
            // The tokens are due before, within or after the outage. All outlive it, and the last minute in which the
            // circuit probes.
            let lifetime = Duration.seconds(1_800 + random.below(1_800))
            try cache.warm(.of("user\(user)"), lifetime: lifetime)
            ends[.of("user\(user)")] = cache.now + lifetime
        }
        cache.suspend(.seconds(60))
        var bucket = ModelBucket(perMinute: 80, size: 80, now: cache.now)
        var open: [Open] = []
        var renewed: Set<TokenKey> = []
        for second in 0..<Self.end {
            for order in cache.orders() {
                guard case .mint(let call, _, _) = order else { continue }
                let isPaid = bucket.pay(at: cache.now)
                #expect(isPaid, "more calls were sent than the bucket allows")
                open.append(Open(call: call, back: cache.now + .milliseconds(random.below(9_000))))
            }
            for call in open where call.back <= cache.now {
                if Self.outage.contains(second) {
                    cache.fail(call.call, OpenCircuitTests.down)
                } else {
                    cache.succeed(call.call)
                }
            }
            open.removeAll { $0.back <= cache.now }
            for _ in 0..<3 {
                let key = TokenKey.of("user\(random.below(Self.users))")
                let reply = try #require(cache.ask(key).served, "a caller had to wait or got an error")
                if reply.expiresIn > 20_000 { renewed.insert(key) }
            }
            cache.advance(.seconds(1))
        }
        let state = cache.stats().tenants["main"]?.state
        #expect(state == "closed")
        #expect(renewed.count > Self.users / 2)
    }
}
