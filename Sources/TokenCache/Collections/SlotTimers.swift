/// The timers of numbered slots, at most one for each: a heap, lowest first, from which any timer can be removed.
///
/// A timer takes 16 bytes: twelve in the heap, and four for its position there.
struct SlotTimers {
    /// A timer.
    ///
    /// The time is in two parts, because eight bytes in one would be padded to sixteen with the slot.
    private struct Item {
        let high: Int32
        let low: UInt32
        let slot: UInt32

        init(_ time: Int64, _ slot: Int) {
            high = Int32(truncatingIfNeeded: time >> 32)
            low = UInt32(truncatingIfNeeded: time)
            self.slot = UInt32(truncatingIfNeeded: slot)
        }

        var time: Int64 { Int64(high) << 32 | Int64(low) }
    }

    private static let none: Int32 = -1

    private var items = SegmentedArray<Item>()
    /// The position of each slot's timer in the heap, or none.
    private var positions = SegmentedArray<Int32>()

    /// The size of a timer in bytes.
    static var size: Int { MemoryLayout<Item>.stride + MemoryLayout<Int32>.stride }

    var isEmpty: Bool { items.isEmpty }

    /// The time of the first timer.
    var next: Int64? { items.isEmpty ? nil : items[0].time }

    /// Returns the time of a slot's timer, or nil if it has none.
    func time(of slot: Int) -> Int64? { position(of: slot).map { items[$0].time } }

    /// Sets a slot's timer, in place of the one that it has.
    mutating func set(_ slot: Int, at time: Int64) {
        while positions.count <= slot { positions.append(Self.none) }
        guard let position = position(of: slot) else {
            items.append(Item(time, slot))
            positions[slot] = Int32(items.count - 1)
            return siftUp(items.count - 1)
        }
        let isSooner = time < items[position].time
        items[position] = Item(time, slot)
        if isSooner { siftUp(position) } else { siftDown(position) }
    }

    /// Removes a slot's timer, if it has one.
    mutating func remove(_ slot: Int) {
        guard let position = position(of: slot) else { return }
        let last = items.count - 1
        if position != last { swap(position, last) }
        items.removeLast()
        positions[slot] = Self.none
        guard position != last else { return }
        siftUp(position)
        siftDown(position)
    }

    /// Removes the first timer if its time has come, and returns its slot.
    mutating func removeFirst(upTo time: Int64) -> Int? {
        guard let next, next <= time else { return nil }
        let slot = Int(items[0].slot)
        remove(slot)
        return slot
    }

    private func position(of slot: Int) -> Int? {
        guard slot < positions.count, positions[slot] != Self.none else { return nil }
        return Int(positions[slot])
    }

    // MARK: Order

    private mutating func siftUp(_ start: Int) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard items[position].time < items[parent].time else { return }
            swap(position, parent)
            position = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        while true {
            let (left, right) = (2 * position + 1, 2 * position + 2)
            var lowest = position
            if left < items.count, items[left].time < items[lowest].time { lowest = left }
            if right < items.count, items[right].time < items[lowest].time { lowest = right }
            guard lowest != position else { return }
            swap(position, lowest)
            position = lowest
        }
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        let item = items[left]
        items[left] = items[right]
        items[right] = item
        positions[Int(items[left].slot)] = Int32(left)
        positions[Int(items[right].slot)] = Int32(right)
    }
}

extension SlotTimers {
    /// The slots, the soonest timer first, without removing any.
    ///
    /// The first k slots take k log k steps, however many there are: a timer's position is reached only after that of the
    /// timer above it.
    var inOrder: InOrder { InOrder(self) }

    /// The slots of timers in the order of their times.
    struct InOrder: Sequence, IteratorProtocol {
        private let timers: SlotTimers
        /// The positions whose timers may be the next, by their times.
        private var candidates = IndexedHeap<Int64, Int>()

        fileprivate init(_ timers: SlotTimers) {
            self.timers = timers
            add(0)
        }

        mutating func next() -> Int? {
            guard let position = candidates.removeMin() else { return nil }
            add(2 * position + 1)
            add(2 * position + 2)
            return Int(timers.items[position].slot)
        }

        private mutating func add(_ position: Int) {
            guard position < timers.items.count else { return }
            _ = candidates.insert(position, at: timers.items[position].time)
        }
    }
}
