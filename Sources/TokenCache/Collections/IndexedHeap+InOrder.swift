extension IndexedHeap {
    /// The items, lowest first, without removing them.
    ///
    /// The first k items take k log k steps, however many there are: an item's place is reached only after the place of
    /// the item above it.
    var inOrder: InOrder { InOrder(self) }

    /// The items of a heap in the order of their priorities.
    struct InOrder: Sequence, IteratorProtocol {
        private let heap: IndexedHeap
        /// The positions whose items may be the next, by their priorities.
        private var candidates = IndexedHeap<Priority, Int>()

        fileprivate init(_ heap: IndexedHeap) {
            self.heap = heap
            add(0)
        }

        mutating func next() -> (priority: Priority, payload: Payload)? {
            guard let priority = candidates.minPriority, let position = candidates.removeMin() else { return nil }
            add(2 * position + 1)
            add(2 * position + 2)
            return heap.payload(at: position).map { (priority, $0) }
        }

        private mutating func add(_ position: Int) {
            if let priority = heap.priority(at: position) { _ = candidates.insert(position, at: priority) }
        }
    }
}
