import Testing

@testable import TokenCache

@Suite("The queue of refreshes")
struct RefreshQueueTests {
    private let now = Simulation.start

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
