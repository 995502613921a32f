import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Negative entries")
struct NegativeCacheTests {
    @Test("However often a key is denied, it has one timer. Beyond the limit the soonest is removed.")
    func negatives() {
        var negatives = NegativeCache()
        let start = Simulation.start
        for round in 0..<10_000 {
            let now = start + .milliseconds(round)
            negatives.change(.of("user\(round % 10)"), serial: UInt64(round), now: now, limit: 10) {
                $0.deny(.init(status: 404), first: .seconds(10), now: now)
            }
        }
        #expect(negatives.count == 10)
        #expect(negatives.timerCount == 10)
        // The entry that would be forgotten soonest is removed.
        negatives.change(.of("soon"), serial: 1, now: start, limit: 11) { $0.fail(.timedOut, until: start) }
        negatives.change(.of("new"), serial: 1, now: start, limit: 11) { $0.noteReport(now: start) }
        #expect(negatives[.of("soon")] == nil)
        #expect(negatives[.of("new")] != nil)
        #expect(negatives.count == 11)
        while negatives.forgetDue(at: start + .seconds(2_000)) {}
        #expect(negatives.count == 0 && negatives.timerCount == 0 && negatives.denialCount == 0)
    }

    @Test("A flush and a new secret drop entries at once, each only its own, and sweeps free them.")
    func floors() {
        var negatives = NegativeCache()
        let now = Simulation.start
        for (serial, status) in [(1, 401), (2, 404), (3, 401)] as [(UInt64, Int)] {
            negatives.change(.of("user\(serial)"), serial: serial, now: now, limit: 10) {
                $0.deny(.init(status: status), first: .seconds(10), now: now)
            }
        }
        negatives.forgetUnauthorized("main", upTo: 2)
        #expect((1...3).map { negatives[.of("user\($0)")] != nil } == [false, true, true])
        negatives.flush("main", upTo: 2)
        #expect((1...3).map { negatives[.of("user\($0)")] != nil } == [false, false, true])
        #expect(negatives.count == 3)
        var (start, budget) = (0, 2)
        #expect(!negatives.sweep(from: &start, &budget) && budget == 0)
        budget = 2
        #expect(negatives.sweep(from: &start, &budget) && budget == 1)
        #expect(negatives.count == 1 && negatives.denialCount == 1)
    }

    @Test("A user's entries are found and forgotten by scopes or all together.")
    func users() {
        var negatives = NegativeCache()
        let now = Simulation.start
        let keys = ["a", "b", "c"].map { TokenKey.of("ann", scope: $0) }
        for key in keys { negatives.change(key, serial: 1, now: now, limit: 10) { $0.noteReport(now: now) } }
        negatives.forget(keys[1].user, scopes: keys[1].scopes)
        #expect(keys.map { negatives[$0] != nil } == [true, false, true])
        negatives.forget(keys[0].user, scopes: nil)
        #expect(negatives.count == 0 && negatives.nextTime == nil)
    }
}
