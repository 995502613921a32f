/// Events by time, those of the same time in the order in which they were added.
struct EventQueue<Event> {
    private struct Item {
        let time: Duration
        let number: UInt64
        let event: Event

        func isBefore(_ other: Item) -> Bool { (time, number) < (other.time, other.number) }
    }

    private var items: [Item] = []
    private var last: UInt64 = 0

    mutating func add(_ event: Event, at time: Duration) {
        last += 1
        items.append(Item(time: time, number: last, event: event))
        var index = items.count - 1
        while index > 0, items[index].isBefore(items[(index - 1) / 2]) {
            items.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    /// Removes the first event, and returns it with its time.
    mutating func removeFirst() -> (time: Duration, event: Event)? {
        guard let first = items.first, let item = items.popLast() else { return nil }
        guard !items.isEmpty else { return (first.time, first.event) }
        items[0] = item
        var index = 0
        while true {
            var least = index
            for child in (2 * index + 1)...(2 * index + 2)
            where child < items.count && items[child].isBefore(items[least]) {
                least = child
            }
            guard least != index else { return (first.time, first.event) }
            items.swapAt(index, least)
            index = least
        }
    }
}
