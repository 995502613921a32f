/// The timers of the refreshes and expiries of entries, by slot.
///
/// An entry has one timer: first that of its refresh, then that of its expiry, which never comes before it. Times are
/// nanoseconds since the machine's boot.
struct EntryTimers {
    private static let refreshes = SlotTimers.Queue.first
    private static let expiries = SlotTimers.Queue.second

    private var timers = SlotTimers()

    /// The size of an entry's timer in bytes.
    static var size: Int { SlotTimers.size }

    /// The time of the next refresh.
    var nextRefresh: Int64? { timers.next(in: Self.refreshes) }

    /// The time of the next timer.
    var next: Int64? { [nextRefresh, timers.next(in: Self.expiries)].compactMap(\.self).min() }

    /// The slots with a refresh timer, the soonest first.
    var slotsByRefresh: some Sequence<Int> { timers.slots(in: Self.refreshes) }

    /// True if a timer will refresh an entry.
    func hasRefresh(_ slot: Int) -> Bool { timers.queue(of: slot) == Self.refreshes }

    /// Sets an entry's timer to its refresh.
    mutating func setRefresh(_ slot: Int, at time: Int64) { timers.set(slot, in: Self.refreshes, at: time) }

    /// Sets an entry's timer to its expiry.
    mutating func setExpiry(_ slot: Int, at time: Int64) { timers.set(slot, in: Self.expiries, at: time) }

    /// Removes an entry's timer.
    mutating func remove(_ slot: Int) { timers.remove(slot) }

    /// Takes the slot of an entry whose refresh is due, which needs the timer of its expiry then.
    mutating func takeRefresh(at time: Int64) -> Int? { timers.removeFirst(in: Self.refreshes, upTo: time) }

    /// Takes the slot of an entry that has expired.
    mutating func takeExpired(at time: Int64) -> Int? { timers.removeFirst(in: Self.expiries, upTo: time) }
}
