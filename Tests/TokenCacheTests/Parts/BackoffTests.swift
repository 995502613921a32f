import Testing

@testable import TokenCache

@Suite("The backoff of refreshes")
struct BackoffTests {
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
}
