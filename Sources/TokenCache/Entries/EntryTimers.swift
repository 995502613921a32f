/// The timers of the refreshes and expiries of entries, by slot.
///
/// Times are nanoseconds since the machine's boot.
struct EntryTimers {
    private var refreshes = SlotTimers()
    private var expiries = SlotTimers()

    /// The size of an entry's timers in bytes.
    static var size: Int { 2 * SlotTimers.size }

    /// The time of the next refresh.
    var nextRefresh: Int64? { refreshes.next }

    /// The time of the next timer.
    var next: Int64? { [refreshes.next, expiries.next].compactMap(\.self).min() }

    /// The slots with a refresh timer, the soonest first.
    var slotsByRefresh: some Sequence<Int> { refreshes.inOrder }

    /// True if a timer will refresh an entry.
    func hasRefresh(_ slot: Int) -> Bool { refreshes.time(of: slot) != nil }

    /// Sets an entry's timers.
    mutating func set(_ slot: Int, sent: Int64, _ ages: TokenAges) {
        refreshes.set(slot, at: sent + ages.refreshDeadline)
        expiries.set(slot, at: sent + ages.lifetime)
    }

    /// Removes an entry's timers.
    mutating func remove(_ slot: Int) {
        refreshes.remove(slot)
        expiries.remove(slot)
    }

    /// Takes the slot of an entry whose refresh is due.
    mutating func takeRefresh(at time: Int64) -> Int? { refreshes.removeFirst(upTo: time) }

    /// Takes the slot of an entry that has expired.
    mutating func takeExpired(at time: Int64) -> Int? { expiries.removeFirst(upTo: time) }
}
