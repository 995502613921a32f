/// Elements in numbered slots.
///
/// Free slots are reused.
struct Slab<Element> {
    private struct Slot {
        var element: Element?
        var nextFree: Int32
    }

    private static var none: Int32 { -1 }

    private var slots = SegmentedArray<Slot>()
    private var firstFree: Int32 = Self.none
    private(set) var count = 0

    /// The range of all slots, used or free.
    var indices: Range<Int> { slots.indices }

    subscript(index: Int) -> Element? {
        _read {
            if slots.indices.contains(index) {
                yield slots[index].element
            } else {
                yield nil
            }
        }
        _modify { yield &slots[index].element }
    }

    /// The slot that the next element is put into.
    var nextIndex: Int { firstFree == Self.none ? slots.count : Int(firstFree) }

    /// Puts an element into a free slot and returns the slot.
    mutating func insert(_ element: Element) -> Int {
        count += 1
        guard firstFree != Self.none else {
            slots.append(Slot(element: element, nextFree: Self.none))
            return slots.count - 1
        }
        let index = Int(firstFree)
        firstFree = slots[index].nextFree
        slots[index].element = element
        return index
    }

    @discardableResult
    mutating func remove(_ index: Int) -> Element? {
        guard let element = self[index] else { return nil }
        slots[index] = Slot(element: nil, nextFree: firstFree)
        firstFree = Int32(index)
        count -= 1
        if count == 0 { (slots, firstFree) = (SegmentedArray(), Self.none) }
        return element
    }
}
