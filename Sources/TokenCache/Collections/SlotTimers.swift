/// The timers of numbered slots, at most one for each, in two queues.
///
/// A queue is a heap, lowest time first, from which any timer can be removed. A slot's timer is in one of the two, so a
/// slot takes 16 bytes: twelve in a heap, and four for its position there.
struct SlotTimers {
    /// The two queues.
    enum Queue: UInt32 {
        case first
        case second
    }

    private var first = TimerHeap(.first)
    private var second = TimerHeap(.second)
    private var positions = SegmentedArray<TimerPosition>()

    /// The size of a timer in bytes.
    static var size: Int { TimerHeap.itemSize + MemoryLayout<TimerPosition>.stride }

    /// Returns the time of the first timer of a queue.
    func next(in queue: Queue) -> Int64? { heap(queue).next }

    /// Returns the queue that a slot's timer is in, or nil if it has none.
    func queue(of slot: Int) -> Queue? { position(of: slot).queue }

    /// Returns the slots of a queue, the soonest timer first.
    ///
    /// The first k slots take k log k steps, however many there are.
    func slots(in queue: Queue) -> some Sequence<Int> { heap(queue).inOrder }

    /// Sets a slot's timer, in place of the one that it has.
    mutating func set(_ slot: Int, in queue: Queue, at time: Int64) {
        while positions.count <= slot { positions.append(.none) }
        remove(slot)
        switch queue {
        case .first: first.insert(slot, at: time, &positions)
        case .second: second.insert(slot, at: time, &positions)
        }
    }

    /// Removes a slot's timer, if it has one.
    mutating func remove(_ slot: Int) {
        let position = position(of: slot)
        switch position.queue {
        case .first: first.remove(at: position.index, &positions)
        case .second: second.remove(at: position.index, &positions)
        case nil: break
        }
    }

    /// Removes the first timer of a queue if its time has come, and returns its slot.
    mutating func removeFirst(in queue: Queue, upTo time: Int64) -> Int? {
        guard let soonest = heap(queue).first, soonest.time <= time else { return nil }
        remove(soonest.slot)
        return soonest.slot
    }

    private func heap(_ queue: Queue) -> TimerHeap {
        switch queue {
        case .first: first
        case .second: second
        }
    }

    private func position(of slot: Int) -> TimerPosition { slot < positions.count ? positions[slot] : .none }
}

/// The place of a slot's timer: a queue and a position in its heap.
private struct TimerPosition {
    /// No place.
    static let none = TimerPosition(bits: .max)

    private let bits: UInt32

    private init(bits: UInt32) { self.bits = bits }

    init(_ queue: SlotTimers.Queue, _ index: Int) { bits = UInt32(index) << 1 | queue.rawValue }

    /// The queue, or nil if there is no timer.
    var queue: SlotTimers.Queue? { bits == Self.none.bits ? nil : SlotTimers.Queue(rawValue: bits & 1) }

    /// The position in the heap.
    var index: Int { Int(bits >> 1) }
}

/// One queue of timers: a heap, lowest first, that keeps the places of its slots up to date.
private struct TimerHeap {
    /// A timer.
    ///
    /// The time is in two parts, because eight bytes in one would be padded to sixteen with the slot.
    private struct Item {
        private let high: Int32
        private let low: UInt32
        private let number: UInt32

        init(_ time: Int64, _ slot: Int) {
            high = Int32(truncatingIfNeeded: time >> 32)
            low = UInt32(truncatingIfNeeded: time)
            number = UInt32(truncatingIfNeeded: slot)
        }

        var time: Int64 { Int64(high) << 32 | Int64(low) }
        var slot: Int { Int(number) }
    }

    typealias Positions = SegmentedArray<TimerPosition>

    private let queue: SlotTimers.Queue
    private var items = SegmentedArray<Item>()

    init(_ queue: SlotTimers.Queue) { self.queue = queue }

    /// The size of an item in bytes.
    static var itemSize: Int { MemoryLayout<Item>.stride }

    /// The time of the first timer.
    var next: Int64? { items.isEmpty ? nil : items[0].time }

    /// The first timer.
    var first: (slot: Int, time: Int64)? { items.isEmpty ? nil : (items[0].slot, items[0].time) }

    /// Adds the timer of a slot that has none.
    mutating func insert(_ slot: Int, at time: Int64, _ positions: inout Positions) {
        items.append(Item(time, slot))
        positions[slot] = TimerPosition(queue, items.count - 1)
        siftUp(items.count - 1, &positions)
    }

    /// Removes the timer at a position.
    mutating func remove(at position: Int, _ positions: inout Positions) {
        let last = items.count - 1
        if position != last { swap(position, last, &positions) }
        positions[items[last].slot] = .none
        items.removeLast()
        guard position != last else { return }
        siftUp(position, &positions)
        siftDown(position, &positions)
    }

    // MARK: Order

    private mutating func siftUp(_ start: Int, _ positions: inout Positions) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard items[position].time < items[parent].time else { return }
            swap(position, parent, &positions)
            position = parent
        }
    }

    private mutating func siftDown(_ start: Int, _ positions: inout Positions) {
        var position = start
        while true {
            let (left, right) = (2 * position + 1, 2 * position + 2)
            var lowest = position
            if left < items.count, items[left].time < items[lowest].time { lowest = left }
            if right < items.count, items[right].time < items[lowest].time { lowest = right }
            guard lowest != position else { return }
            swap(position, lowest, &positions)
            position = lowest
        }
    }

    private mutating func swap(_ left: Int, _ right: Int, _ positions: inout Positions) {
        let item = items[left]
        items[left] = items[right]
        items[right] = item
        positions[items[left].slot] = TimerPosition(queue, left)
        positions[items[right].slot] = TimerPosition(queue, right)
    }
}

extension TimerHeap {
    /// The slots, the soonest timer first, without removing any.
    ///
    /// A timer's position is reached only after that of the timer above it.
    var inOrder: InOrder { InOrder(self) }

    /// The slots of timers in the order of their times.
    struct InOrder: Sequence, IteratorProtocol {
        private let timers: TimerHeap
        /// The positions whose timers may be the next, by their times.
        private var candidates = IndexedHeap<Int64, Int>()

        fileprivate init(_ timers: TimerHeap) {
            self.timers = timers
            add(0)
        }

        mutating func next() -> Int? {
            guard let position = candidates.removeMin() else { return nil }
            add(2 * position + 1)
            add(2 * position + 2)
            return timers.items[position].slot
        }

        private mutating func add(_ position: Int) {
            guard position < timers.items.count else { return }
            _ = candidates.insert(position, at: timers.items[position].time)
        }
    }
}
