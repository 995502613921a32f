import HeapModule

/// Events by the time at which they are due, soonest first.
///
/// What is no longer wanted isn't searched for and taken out: its owner knows that it is stale, and it is left out when
/// it comes up, or when the stale ones outnumber the wanted ones.
struct DueTimes<Event> {
    /// So many stale events are borne before it is worth sweeping, whatever the number of wanted ones.
    private static var borneStale: Int { 1_024 }

    private struct Due: Comparable {
        let at: Instant
        let event: Event

        static func < (left: Due, right: Due) -> Bool { left.at < right.at }
        static func == (left: Due, right: Due) -> Bool { left.at == right.at }
    }

    private var heap = Heap<Due>()

    /// Plans an event.
    mutating func plan(_ event: Event, at: Instant) {
        heap.insert(Due(at: at, event: event))
    }

    /// Plans many events at once, which is cheaper than one by one.
    mutating func plan(all events: some Sequence<(event: Event, at: Instant)>) {
        var all = heap.unordered
        for (event, at) in events { all.append(Due(at: at, event: event)) }
        heap = Heap(all)
    }

    /// The time of the soonest event that is still wanted; stale ones before it are dropped.
    mutating func soonest(isWanted: (Event) -> Bool) -> Instant? {
        while let first = heap.min {
            if isWanted(first.event) { return first.at }
            heap.removeMin()
        }
        return nil
    }

    /// Takes out the soonest event, wanted or not, if it is due.
    mutating func takeDue(at now: Instant) -> Event? {
        guard let first = heap.min, first.at <= now else { return nil }
        heap.removeMin()
        return first.event
    }

    /// Takes out the soonest event, wanted or not.
    mutating func takeFirst() -> Event? { heap.popMin()?.event }

    /// Whether the stale events outnumber the wanted ones, so that memory no longer follows what is wanted.
    func isWorthSweeping(wanted count: Int) -> Bool { heap.count > 2 * count + Self.borneStale }

    /// Drops the stale events, where that is worth it.
    mutating func sweep(wanted count: Int, isWanted: (Event) -> Bool) {
        guard isWorthSweeping(wanted: count) else { return }
        heap = Heap(heap.unordered.filter { isWanted($0.event) })
    }
}
