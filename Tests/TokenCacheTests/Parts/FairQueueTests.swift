import TestSupport
import Testing

@testable import TokenCache

@Suite("The fair queue")
struct FairQueueTests {
    @Test("The rank in a fair queue is the number of calls that go before.", arguments: 1...3)
    func fairQueue(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = FairQueue()
        var tickets: [CallID: FairQueue.Ticket] = [:]
        for number in 1...200 {
            let call = CallID(slot: number, serial: UInt64(number))
            tickets[call] = queue.append(call, for: PeerUID(random.below(5)))
            if random.once(in: 4), let gone = tickets.keys.min() {
                tickets.removeValue(forKey: gone).map { queue.remove($0) }
            }
        }
        var order: [CallID] = []
        let ranks = tickets.mapValues { queue.rank(of: $0) }
        var walk = queue.walk()
        while let call = queue.next(&walk) {
            order.append(call)
            queue.pass(&walk)
        }
        #expect(Set(order) == Set(tickets.keys))
        for (index, call) in order.enumerated() { #expect(ranks[call] == index) }
        for call in order {
            #expect(queue.first == call)
            queue.removeFirst()
        }
        #expect(queue.count == 0)
    }

    @Test("Prefetches that are removed leave nothing in their queue.")
    func withdrawn() {
        var queue = FairQueue()
        for number in 0..<100_000 {
            let ticket = queue.append(CallID(slot: 0, serial: UInt64(number)), for: 1)
            queue.remove(ticket)
        }
        #expect(queue.count == 0 && queue.first == nil && queue.peers.isEmpty)
    }
}
