import TestSupport
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("The parts that state is kept in")
struct PartTests {
    @Test("A heap gives the lowest first, whatever is put in, moved and taken out.", arguments: 1...5)
    func heap(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var heap = IndexedHeap<Int, Int>()
        var model: [Int: (handle: IndexedHeap<Int, Int>.Handle, priority: Int)] = [:]
        for step in 0..<5_000 {
            switch random.below(4) {
            case 0, 1:
                let priority = random.below(1_000)
                model[step] = (heap.insert(step, at: priority), priority)
            case 2:
                guard let (key, item) = model.min(by: { $0.key < $1.key }) else { continue }
                let priority = random.below(1_000)
                heap.move(item.handle, to: priority)
                model[key]?.priority = priority
            default:
                guard let (key, item) = model.max(by: { $0.key % 97 < $1.key % 97 }) else { continue }
                #expect(heap.remove(item.handle) == key)
                model[key] = nil
            }
            #expect(heap.count == model.count)
            #expect(heap.minPriority == model.values.map(\.priority).min())
        }
        var last = Int.min
        while let (priority, payload) = heap.min {
            #expect(priority >= last)
            #expect(model[payload]?.priority == priority)
            last = priority
            heap.removeMin()
        }
    }

    @Test("A queue tells any call's rank, and gives up any call.", arguments: 1...3)
    func rankedQueue(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = RankedQueue()
        var model: [Int] = []
        for number in 1...6_000 {
            queue.append(CallID(slot: number, serial: UInt64(number)), number: number)
            model.append(number)
            if random.once(in: 3), !model.isEmpty {
                let gone = model.remove(at: random.below(model.count))
                queue.remove(number: gone)
                #expect(queue.rank(of: gone) == nil)
            }
            if random.once(in: 5), !model.isEmpty {
                model.removeFirst()
                queue.removeFirst()
            }
            guard number % 50 == 0, !model.isEmpty else { continue }
            let index = random.below(model.count)
            #expect(queue.rank(of: model[index]) == index)
            #expect(queue.first(after: model[index])?.number == (index + 1 < model.count ? model[index + 1] : nil))
            #expect(queue.count == model.count)
        }
    }

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

    @Test("Prefetches that are withdrawn leave nothing in their queue.")
    func withdrawn() {
        var queue = FairQueue()
        for number in 0..<100_000 {
            let ticket = queue.append(CallID(slot: 0, serial: UInt64(number)), for: 1)
            queue.remove(ticket)
        }
        #expect(queue.count == 0 && queue.first == nil && queue.peers.isEmpty)
    }

    @Test("However often a key is refused, it has one time at which it is forgotten; past the bound the soonest goes.")
    func negatives() {
        var negatives = NegativeCache()
        let start = Simulation.start
        for round in 0..<10_000 {
            let now = start + .milliseconds(round)
            negatives.change(.of("user\(round % 10)"), serial: UInt64(round), now: now, limit: 10) {
                $0.refuse(.init(status: 404), first: .seconds(10), now: now)
            }
        }
        #expect(negatives.count == 10)
        #expect(negatives.timerCount == 10)
        // The one that would be forgotten soonest gives way.
        negatives.change(.of("soon"), serial: 1, now: start, limit: 11) { $0.fail(.timedOut, until: start) }
        negatives.change(.of("new"), serial: 1, now: start, limit: 11) { $0.noteReport(now: start) }
        #expect(negatives[.of("soon")] == nil)
        #expect(negatives[.of("new")] != nil)
        #expect(negatives.count == 11)
        while negatives.forgetDue(at: start + .seconds(2_000)) {}
        #expect(negatives.count == 0 && negatives.timerCount == 0 && negatives.refusalCount == 0)
    }

    @Test("An array of segments gives back what was put in, across their borders.")
    func segments() {
        var array = SegmentedArray<Int>()
        for number in 0..<5_000 { array.append(number) }
        for index in array.indices { array[index] += 1 }
        #expect(array.count == 5_000 && array[0] == 1 && array[1_023] == 1_024 && array[4_999] == 5_000)
        while !array.isEmpty { array.removeLast() }
        array.append(7)
        #expect(array.count == 1 && array[0] == 7)
    }
}
