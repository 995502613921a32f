import OperatorReplies
import Testing

@testable import tokencachectl

@Suite("The rates between two looks")
struct RatesTests {
    @Test("They are differences by time: of requests, mints, hits and each local user.")
    func rates() throws {
        let earlier = try TopFixture.look(at: 10, uptime: 100)
        let later = try TopFixture.look(at: 12, uptime: 102, requests: 50, mints: 5)
        let rates = try #require(Rates(from: earlier, to: later))
        #expect(rates.requests == 25)
        #expect(rates.mints == 2.5)
        #expect(rates.failures == 0)
        #expect(rates.hitShare == 0.9)
        #expect(rates.peers == [33: 25, 1_000: 0])
    }

    @Test(
        "A daemon that was started in between has no rates, and never negative ones.",
        arguments: [
            (1.0, 0),  // The uptime went back.
            (1.0, 5_000),  // The new daemon has counted more already.
            (102, -1),  // A counter went back.
        ]
    )
    func restart(uptime: Double, requests: Int) throws {
        let earlier = try TopFixture.look(at: 10, uptime: 100)
        #expect(Rates(from: earlier, to: try TopFixture.look(at: 12, uptime: uptime, requests: requests)) == nil)
    }

    @Test("A daemon that was started after a short one, and has run longer, is a new one.")
    func longerThanBefore() throws {
        let earlier = try TopFixture.look(at: 10, uptime: 3)
        #expect(Rates(from: earlier, to: try TopFixture.look(at: 60, uptime: 20, requests: 5)) == nil)
        #expect(Rates(from: earlier, to: try TopFixture.look(at: 60, uptime: 53, requests: 5)) != nil)
    }

    @Test("A uid that the daemon has not listed before has no rate yet.")
    func newPeer() throws {
        var earlier = try TopFixture.look(at: 10, uptime: 100)
        earlier.stats.uids[33] = nil
        earlier.stats.uids[1_000]?.requests = 500
        let rates = try #require(Rates(from: earlier, to: try TopFixture.look(at: 12, uptime: 102)))
        #expect(rates.peers.isEmpty)
    }

    @Test("The history has a gap where the daemon was away, and forgets the latencies of the one before.")
    func history() throws {
        var history = History()
        let text = { (count: Int) in
            ["hit", "mint"].map { name in
                "tokencached_\(name)_duration_seconds_bucket{le=\"1\"} \(count)\n"
                    + "tokencached_\(name)_duration_seconds_bucket{le=\"+Inf\"} \(count)\n"
            }.joined()
        }
        func add(_ seconds: Double, uptime: Double, count: Int) throws {
            var look = try TopFixture.look(at: seconds, uptime: uptime, requests: count)
            look.latencies = Look.Latencies(metrics: text(count))
            history.add(look)
        }
        for number in 0...100 { try add(Double(number), uptime: 500 + Double(number), count: number) }
        #expect(history.points.count == 100)
        #expect(history.recentLatencies?.seconds == 60)
        #expect(history.recentLatencies?.latencies.hits.count == 60)
        history.addGap()
        try add(103, uptime: 1, count: 7)
        #expect(history.recentLatencies == nil && history.rates == nil)
        #expect(history.points.suffix(2).allSatisfy { $0.requests == nil })
        try add(104, uptime: 2, count: 9)
        #expect(history.recentLatencies?.latencies.mints.count == 2)
        #expect(history.rates?.requests == 2)
        history.add(try TopFixture.look(at: 150, uptime: 48, requests: 9))
        #expect(history.recentLatencies != nil)
        history.add(try TopFixture.look(at: 164, uptime: 62, requests: 9))
        #expect(history.recentLatencies == nil)
        for number in 0..<1_000 { try add(165 + Double(number), uptime: 63 + Double(number), count: 10 + number) }
        #expect(history.points.count == 500)
    }
}
