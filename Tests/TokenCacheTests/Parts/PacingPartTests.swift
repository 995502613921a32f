import Testing

@testable import TokenCache

@Suite("Token bucket, backoff and refresh queue")
struct PacingPartTests {
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

    @Test("A pause grows up to threefold, and takes at most a quarter of the time left.")
    func backoff() {
        let backoff = Backoff()
        let first = backoff.pause(after: nil, left: .seconds(1_000), jitterFraction: 0)
        #expect(first.length == .seconds(1))
        let second = backoff.pause(after: first, left: .seconds(1_000), jitterFraction: 0.5)
        #expect(second.length == .seconds(2))
        #expect(backoff.pause(after: second, left: .seconds(4), jitterFraction: 0.5).length == .seconds(1))
        #expect(backoff.pause(after: second, left: .seconds(100_000), jitterFraction: 0.999).length <= .seconds(60))
    }

    @Test("A success ends the outage, after which pauses start anew.")
    func outage() {
        var backoff = Backoff()
        let first = backoff.pause(after: nil, left: .seconds(1_000), jitterFraction: 0.999)
        let grown = backoff.pause(after: first, left: .seconds(1_000), jitterFraction: 0.999)
        #expect(grown.length > .seconds(8))
        backoff.end()
        #expect(backoff.pause(after: grown, left: .seconds(1_000), jitterFraction: 0.5).length == .seconds(2))
    }

    @Test("The refresh whose token expires first is ahead, and is urgent from its deadline on.")
    func refreshQueue() {
        var queue = RefreshQueue()
        let (late, soon) = (CallID(slot: 1, serial: 1), CallID(slot: 2, serial: 2))
        _ = queue.insert(late, tokenEnds: now + .seconds(20), urgentFrom: nil, notBefore: nil)
        let ticket = queue.insert(soon, tokenEnds: now + .seconds(10), urgentFrom: now + .seconds(5), notBefore: nil)
        #expect(queue.first?.call == soon && queue.first?.tokenEnds == now + .seconds(10))
        #expect(!queue.isUrgent(at: now) && queue.isUrgent(at: now + .seconds(5)))
        queue.remove(ticket)
        #expect(queue.first?.call == late && queue.count == 1)
    }
}
