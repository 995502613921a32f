/// A priority queue, lowest first, from which any item can be removed in logarithmic time.
///
/// An inserted item is known by its handle until it is removed. Unwanted items are removed at once, so the heap holds
/// no stale items.
package struct IndexedHeap<Priority: Comparable, Payload> {
    /// Identifies an item while it is in the heap.
    ///
    /// Afterwards another item may get the same handle.
    package struct Handle: Sendable, Equatable {
        fileprivate let node: Int32
    }

    private struct Item {
        var priority: Priority
        var node: Int32
    }

    private struct Node {
        var payload: Payload?
        /// The position of its item in the heap.
        ///
        /// In a free node, the next free node.
        var position: Int32
    }

    private static var none: Int32 { -1 }

    private var items = SegmentedArray<Item>()
    private var nodes = SegmentedArray<Node>()
    private var firstFree: Int32 = Self.none

    /// Creates an empty queue.
    package init() {}

    var count: Int { items.count }
    package var isEmpty: Bool { items.isEmpty }

    /// The lowest priority.
    var minPriority: Priority? { items.isEmpty ? nil : items[0].priority }

    /// The item with the lowest priority.
    package var min: (priority: Priority, payload: Payload)? {
        guard !items.isEmpty, let payload = nodes[Int(items[0].node)].payload else { return nil }
        return (items[0].priority, payload)
    }

    /// The priority of the item at a position, or nil if there is none.
    func priority(at position: Int) -> Priority? { position < items.count ? items[position].priority : nil }

    /// The payload of the item at a position.
    func payload(at position: Int) -> Payload? { nodes[Int(items[position].node)].payload }

    /// Adds an item.
    package mutating func insert(_ payload: Payload, at priority: Priority) -> Handle {
        let node = newNode(payload)
        items.append(Item(priority: priority, node: node))
        nodes[Int(node)].position = Int32(items.count - 1)
        siftUp(items.count - 1)
        return Handle(node: node)
    }

    /// Changes an item's priority.
    package mutating func move(_ handle: Handle, to priority: Priority) {
        let position = Int(nodes[Int(handle.node)].position)
        let isSooner = priority < items[position].priority
        items[position].priority = priority
        if isSooner { siftUp(position) } else { siftDown(position) }
    }

    /// Removes an item.
    @discardableResult
    package mutating func remove(_ handle: Handle) -> Payload? {
        let position = Int(nodes[Int(handle.node)].position)
        let last = items.count - 1
        if position != last { swap(position, last) }
        items.removeLast()
        if position != last {
            siftUp(position)
            siftDown(position)
        }
        return free(handle.node)
    }

    @discardableResult
    mutating func removeMin() -> Payload? {
        items.isEmpty ? nil : remove(Handle(node: items[0].node))
    }

    /// Removes the lowest item if its priority is at most this.
    mutating func removeMin(upTo priority: Priority) -> Payload? {
        guard let first = minPriority, first <= priority else { return nil }
        return removeMin()
    }

    // MARK: Nodes

    private mutating func newNode(_ payload: Payload) -> Int32 {
        guard firstFree != Self.none else {
            nodes.append(Node(payload: payload, position: 0))
            return Int32(nodes.count - 1)
        }
        let node = firstFree
        firstFree = nodes[Int(node)].position
        nodes[Int(node)].payload = payload
        return node
    }

    private mutating func free(_ node: Int32) -> Payload? {
        let payload = nodes[Int(node)].payload
        nodes[Int(node)] = Node(payload: nil, position: firstFree)
        firstFree = node
        // Nothing refers to a node of an empty heap, so its memory can be freed.
        if items.isEmpty { (nodes, firstFree) = (SegmentedArray(), Self.none) }
        return payload
    }

    // MARK: Order

    private mutating func siftUp(_ start: Int) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard items[position].priority < items[parent].priority else { return }
            swap(position, parent)
            position = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var position = start
        while true {
            let (left, right) = (2 * position + 1, 2 * position + 2)
            var lowest = position
            if left < items.count, items[left].priority < items[lowest].priority { lowest = left }
            if right < items.count, items[right].priority < items[lowest].priority { lowest = right }
            guard lowest != position else { return }
            swap(position, lowest)
            position = lowest
        }
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        let item = items[left]
        items[left] = items[right]
        items[right] = item
        nodes[Int(items[left].node)].position = Int32(left)
        nodes[Int(items[right].node)].position = Int32(right)
    }
}
