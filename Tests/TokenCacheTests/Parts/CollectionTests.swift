import TestSupport
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("The collections of the state machine")
struct CollectionTests {
    @Test("A heap returns the lowest item first, after any insertions, moves and removals.", arguments: 1...5)
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
        let priorities = model.values.map(\.priority).sorted()
        #expect(heap.inOrder.map(\.priority) == priorities)
        #expect(heap.inOrder.allSatisfy { model[$0.payload]?.priority == $0.priority })
        #expect(heap.inOrder.prefix(7).map(\.priority) == Array(priorities.prefix(7)))
        var last = Int.min
        while let (priority, payload) = heap.min {
            #expect(priority >= last)
            #expect(model[payload]?.priority == priority)
            last = priority
            heap.removeMin()
        }
    }

    @Test("A slab has each element in its slot, after any insertions and removals.", arguments: 1...5)
    func slab(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var slab = Slab<Int>()
        var model: [Int: Int] = [:]
        for step in 0..<6_000 {
            // It grows to several segments, shrinks to nothing and grows again.
            if random.below(10) < (step / 1_500 % 2 == 0 ? 7 : 3) {
                let next = slab.nextIndex
                #expect(model[next] == nil)
                #expect(slab.insert(step) == next)
                model[next] = step
            } else if let slot = model.keys.min(by: { $0 % 97 < $1 % 97 }) {
                #expect(slab.remove(slot) == model.removeValue(forKey: slot))
                #expect(slab[slot] == nil && slab.remove(slot) == nil)
            }
            #expect(slab.count == model.count)
        }
        #expect(slab.indices.filter { slab[$0] != nil } == model.keys.sorted())
        #expect(model.allSatisfy { slab[$0.key] == $0.value })
        for slot in model.keys { slab.remove(slot) }
        #expect(slab.count == 0 && slab.indices.isEmpty && slab.nextIndex == 0)
    }

    @Test("A dictionary in parts has the value of each key.")
    func shardedDictionary() {
        var dictionary = ShardedDictionary<Int, Int>()
        for key in 0..<10_000 { dictionary[key] = 2 * key }
        for key in stride(from: 0, to: 10_000, by: 2) { dictionary[key] = nil }
        #expect((0..<10_000).allSatisfy { dictionary[$0] == ($0 % 2 == 0 ? nil : 2 * $0) })
    }

    @Test("Timers of slots come in the order of their times in each queue, after any changes.", arguments: 1...5)
    func slotTimers(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var timers = SlotTimers()
        var model: [Int: (queue: SlotTimers.Queue, time: Int64)] = [:]
        func times(_ queue: SlotTimers.Queue) -> [Int64] {
            model.values.filter { $0.queue == queue }.map(\.time).sorted()
        }
        for _ in 0..<5_000 {
            let slot = random.below(300)
            if random.below(3) > 0 {
                let queue: SlotTimers.Queue = random.once(in: 2) ? .first : .second
                let time = Int64(random.below(1_000)) << 31 - (1 << 40)
                timers.set(slot, in: queue, at: time)
                model[slot] = (queue, time)
            } else {
                timers.remove(slot)
                model[slot] = nil
            }
            #expect(timers.next(in: .first) == times(.first).first && timers.next(in: .second) == times(.second).first)
            #expect(timers.queue(of: slot) == model[slot]?.queue)
        }
        for queue in [SlotTimers.Queue.first, .second] {
            let times = times(queue)
            #expect(timers.slots(in: queue).map { model[$0]?.time } == times)
            #expect(timers.slots(in: queue).prefix(7).map { model[$0]?.time } == Array(times.prefix(7)))
            #expect(timers.removeFirst(in: queue, upTo: times[0] - 1) == nil)
            for time in times {
                let slot = timers.removeFirst(in: queue, upTo: time)
                #expect(slot.flatMap { model.removeValue(forKey: $0)?.time } == time)
            }
            #expect(timers.next(in: queue) == nil)
        }
        #expect(model.isEmpty)
    }

    @Test("Sorted runs return the latest number first, also while runs are added.", arguments: 1...3)
    func sortedRuns(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var runs = SortedRuns()
        var model: [Int: Int64] = [:]
        var next = 0
        for _ in 0..<200 {
            var run: [SortedRuns.Item] = []
            for _ in 0..<random.below(20) {
                let time = random.once(in: 10) ? Int64.min : Int64(random.below(1_000))
                run.append(SortedRuns.Item(time: time, number: UInt32(next)))
                model[next] = time
                next += 1
            }
            runs.add(run)
            for _ in 0..<random.below(10) {
                let latest = model.values.max()
                #expect(runs.takeLatest().flatMap { model.removeValue(forKey: $0) } == latest)
            }
        }
        while let latest = model.values.max() {
            #expect(runs.takeLatest().flatMap { model.removeValue(forKey: $0) } == latest)
        }
        #expect(runs.isEmpty && runs.takeLatest() == nil)
    }

    @Test("A queue knows the rank of any call, and can remove any call.", arguments: 1...3)
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

    @Test("A segmented array returns what was put in, across the borders of segments.")
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
