/// Elements in numbered slots that are also found by user: the slots of a user are linked.
///
/// Elements without a user are found by slot alone.
struct UserSlab<Element> {
    private struct Slot {
        var element: Element
        let user: UserKey?
        /// The next slot of the same user.
        var next: Int?

        mutating func change(_ change: (inout Element) -> Void) { change(&element) }
    }

    private var slots = Slab<Slot>()
    private var index = UserIndex()

    /// The number of elements.
    var count: Int { slots.count }

    /// The range of slots, for walking through the elements in slices.
    var indices: Range<Int> { slots.indices }

    /// The slot that the next element is put into.
    var nextIndex: Int { slots.nextIndex }

    /// The element in a slot.
    subscript(slot: Int) -> Element? { slots[slot]?.element }

    /// Changes an element in place.
    mutating func update(_ slot: Int, _ change: (inout Element) -> Void) {
        guard slots[slot] != nil else { return }
        slots[slot]?.change(change)
    }

    /// Returns the user's slots, the latest first.
    func slots(of user: UserKey) -> [Int] {
        var found: [Int] = []
        var next = first(of: user)
        while let slot = next {
            found.append(slot)
            next = slots[slot]?.next
        }
        return found
    }

    /// Returns the latest slot of a user for which a condition holds.
    func firstSlot(of user: UserKey, where condition: (Element) -> Bool) -> Int? {
        var next = first(of: user)
        while let slot = next, let found = slots[slot] {
            if condition(found.element) { return slot }
            next = found.next
        }
        return nil
    }

    /// Puts an element into a free slot and returns the slot.
    mutating func insert(_ element: Element, of user: UserKey?) -> Int {
        let first = user.flatMap { self.first(of: $0) }
        let slot = slots.insert(Slot(element: element, user: user, next: first))
        guard let user else { return slot }
        let hash = UserIndex.hash(user)
        if let first { index.replace(hash, first, with: slot) } else { index.insert(hash, slot) }
        return slot
    }

    /// Removes an element.
    mutating func remove(_ slot: Int) {
        guard let removed = slots[slot] else { return }
        if let user = removed.user { unlink(slot, user, next: removed.next) }
        slots.remove(slot)
    }

    private func first(of user: UserKey) -> Int? {
        index.find(UserIndex.hash(user)) { slots[$0]?.user == user }
    }

    private mutating func unlink(_ slot: Int, _ user: UserKey, next: Int?) {
        let hash = UserIndex.hash(user)
        guard var previous = first(of: user), previous != slot else {
            if let next { index.replace(hash, slot, with: next) } else { index.remove(hash, slot) }
            return
        }
        while let following = slots[previous]?.next, following != slot { previous = following }
        slots[previous]?.next = next
    }
}
