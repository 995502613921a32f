import Testing

@testable import TokenCache

@Suite("The token bucket")
struct TokenBucketTests {
    private let now = Simulation.start

    @Test("A bucket starts full, refills at its rate up to its burst, and tells when calls are available.")
    func bucket() {
        var bucket = TokenBucket(perMinute: 60, burst: 2, now: now)
        #expect(bucket.isFull(at: now))
        for _ in 0..<2 { bucket.take(at: now) }
        #expect(!bucket.hasOne(at: now) && bucket.hasOne(at: now + .seconds(1)))
        #expect(bucket.time(of: 2, from: now) == now + .seconds(2))
        #expect(bucket.time(of: 3, from: now + .seconds(60)) == now + .seconds(61), "it fills up to its burst only")
        bucket.reconfigure(perMinute: 60, burst: 1, now: now + .seconds(10))
        #expect(bucket.available(at: now + .seconds(60)) == 1)
    }
}
