/// Elements in numbered slots.
///
/// Free slots are reused. The slots are in segments, and an empty segment is freed at once: after a burst of a hundred
/// thousand elements, no single removal has to free the memory of all of them.
struct Slab<Element> {
    private struct Slot {
        var element: Element?
        var nextFree: Int32
    }

    private struct Segment {
        /// The slots so far, or none if no element is in the segment.
        var slots: ContiguousArray<Slot> = []
        /// The first free one of these slots.
        var firstFree = none
        /// The number of elements.
        var count = 0
        /// The next segment that is not full.
        var nextOpen = none

        /// The place of the next element.
        var nextOffset: Int { firstFree == none ? slots.count : Int(firstFree) }

        mutating func put(_ element: Element) {
            count += 1
            guard firstFree != none else {
                if slots.isEmpty { slots.reserveCapacity(segmentSize) }
                slots.append(Slot(element: element, nextFree: none))
                return
            }
            let offset = Int(firstFree)
            firstFree = slots[offset].nextFree
            slots[offset].element = element
        }

        mutating func free(_ offset: Int) {
            count -= 1
            guard count > 0 else {
                (slots, firstFree) = ([], none)
                return
            }
            slots[offset] = Slot(element: nil, nextFree: firstFree)
            firstFree = Int32(offset)
        }
    }

    /// The binary logarithm of the number of slots in a segment, so that an index is split by shifting.
    private static var shift: Int { 8 }
    private static var segmentSize: Int { 1 << shift }
    private static var none: Int32 { -1 }

    private var segments: ContiguousArray<Segment> = []
    /// The first segment that is not full.
    private var firstOpen: Int32 = Self.none
    private(set) var count = 0

    /// The range of all slots, used or free.
    var indices: Range<Int> {
        0..<segments.count << Self.shift - (segments.last.map { Self.segmentSize - $0.slots.count } ?? 0)
    }

    subscript(index: Int) -> Element? {
        _read {
            if contains(index) {
                yield segments[index >> Self.shift].slots[index & (Self.segmentSize - 1)].element
            } else {
                yield nil
            }
        }
        _modify { yield &segments[index >> Self.shift].slots[index & (Self.segmentSize - 1)].element }
    }

    /// True if a slot has been used since its segment was empty.
    private func contains(_ index: Int) -> Bool {
        let segment = index >> Self.shift
        return segments.indices.contains(segment)
            && index & (Self.segmentSize - 1) < segments[segment].slots.count
    }

    /// The slot that the next element is put into.
    var nextIndex: Int {
        guard firstOpen != Self.none else { return segments.count << Self.shift }
        return Int(firstOpen) << Self.shift | segments[Int(firstOpen)].nextOffset
    }

    /// Puts an element into a free slot and returns the slot.
    mutating func insert(_ element: Element) -> Int {
        let index = nextIndex
        if firstOpen == Self.none {
            firstOpen = Int32(segments.count)
            segments.append(Segment())
        }
        segments[Int(firstOpen)].put(element)
        count += 1
        if segments[Int(firstOpen)].count == Self.segmentSize { firstOpen = segments[Int(firstOpen)].nextOpen }
        return index
    }

    @discardableResult
    mutating func remove(_ index: Int) -> Element? {
        guard let element = self[index] else { return nil }
        let number = index >> Self.shift
        if segments[number].count == Self.segmentSize {
            segments[number].nextOpen = firstOpen
            firstOpen = Int32(number)
        }
        segments[number].free(index & (Self.segmentSize - 1))
        count -= 1
        if count == 0 { (segments, firstOpen) = ([], Self.none) }
        return element
    }
}
