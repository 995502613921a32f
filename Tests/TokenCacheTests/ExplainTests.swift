import OperatorReplies
import TestSupport
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("What explain says is what a request gets")
struct ExplainTests {
    /// Where a request's answer came from.
    private func source(_ answer: RequestAnswer) -> ExplainReply.Source {
        switch answer {
        case .serve, .serveAndRefresh: .cache
        case .wait: .tenant
        case .refuse: .error
        }
    }

    @Test("Over a whole life, second by second, in quiet times, in a hold and while minting fails.", arguments: 0..<4)
    func life(trouble: Int) throws {
        for age in stride(from: 0, through: 1_010, by: 3) {
            var cache = Simulation(draw: 0.5)
            try cache.warm(.of("ann"), lifetime: .seconds(1_000))
            cache.suspend(.seconds(age))
            switch trouble {
            case 1:
                _ = cache.ask(.of("bob"))
                cache.fail(try cache.onlyMint(), .throttled(retryAfter: .seconds(600)))
            case 2:
                if cache.ask(.of("ann"), minTTL: .seconds(999)) == .wait, let mint = cache.mints().first {
                    cache.fail(mint.call, .unavailable("down", pause: nil))
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
}
