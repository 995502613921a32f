import Testing
import TokenCache

@testable import FleetStore

@Suite("Calls under way")
struct PendingCallsTests {
    private let start = ContinuousClock.now

    @Test("A call is taken out once, by its answer or its deadline.")
    func once() {
        var calls = PendingCalls<String>()
        let first = calls.add("a", until: start + .seconds(1))
        let second = calls.add("b", until: start + .seconds(2))
        #expect(calls.take(first) == "a")
        #expect(calls.take(first) == nil)
        #expect(calls.takeExpired(at: start + .seconds(1)).isEmpty)
        #expect(calls.takeExpired(at: start + .seconds(2)) == ["b"])
        #expect(calls.take(second) == nil)
        #expect(calls.count == 0)
        #expect(calls.nextDeadline == nil)
    }

    @Test("A call with an earlier deadline than those before it expires first.")
    func order() {
        var calls = PendingCalls<String>()
        _ = calls.add("late", until: start + .seconds(3))
        _ = calls.add("early", until: start + .seconds(1))
        #expect(calls.nextDeadline == start + .seconds(1))
        #expect(calls.takeExpired(at: start + .seconds(2)) == ["early"])
        #expect(calls.takeExpired(at: start + .seconds(3)) == ["late"])
    }
}
