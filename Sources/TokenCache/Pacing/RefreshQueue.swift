/// Queued calls that nobody waits for and that expire: refreshes, and revocations whose logout was answered.
///
/// The one whose token expires first goes first. Retries join when their pause is over.
struct RefreshQueue {
    /// Identifies a queued call.
    struct Ticket: Equatable {
        fileprivate let slot: Int
    }

    /// The order by the token's expiry, then by the order of queueing.
    private struct Rank: Comparable {
        let tokenEnds: Instant
        let call: CallID

        static func < (left: Rank, right: Rank) -> Bool {
            (left.tokenEnds, left.call) < (right.tokenEnds, right.call)
        }
    }

    private enum Position {
        case ready(IndexedHeap<Rank, Int>.Handle)
        case pausing(IndexedHeap<Instant, Int>.Handle)
    }

    private struct Item {
        let rank: Rank
        /// The time from which on it goes before prefetches, too.
        let urgentFrom: Instant?
        var position: Position
    }

    private var items = Slab<Item>()
    private var ready = IndexedHeap<Rank, Int>()
    private var pausing = IndexedHeap<Instant, Int>()

    var count: Int { items.count }

    /// The first call, and its token's expiry.
    var first: (call: CallID, tokenEnds: Instant)? { ready.minPriority.map { ($0.call, $0.tokenEnds) } }

    /// The end of the next pause.
    var nextEndOfPause: Instant? { pausing.minPriority }

    /// True if the first call's token has reached its refresh deadline.
    func isUrgent(at now: Instant) -> Bool {
        ready.min.flatMap { items[$0.payload]?.urgentFrom }.map { $0 <= now } ?? false
    }

    mutating func insert(_ call: CallID, tokenEnds: Instant, urgentFrom: Instant?, notBefore: Instant?) -> Ticket {
        let rank = Rank(tokenEnds: tokenEnds, call: call)
        let slot = items.nextIndex
        let position: Position =
            if let notBefore {
                .pausing(pausing.insert(slot, at: notBefore))
            } else {
                .ready(ready.insert(slot, at: rank))
            }
        _ = items.insert(Item(rank: rank, urgentFrom: urgentFrom, position: position))
        return Ticket(slot: slot)
    }

    mutating func remove(_ ticket: Ticket) {
        switch items.remove(ticket.slot)?.position {
        case .ready(let handle): ready.remove(handle)
        case .pausing(let handle): pausing.remove(handle)
        case nil: break
        }
    }

    /// Ends the pause of one call, or returns false if there is none.
    ///
    /// - Parameter now: The time by which the pause must be over, or nil for any pause.
    mutating func endPause(at now: Instant?) -> Bool {
        guard let time = pausing.minPriority, now.map({ time <= $0 }) ?? true, let slot = pausing.removeMin(),
            let rank = items[slot]?.rank
        else { return false }
        items[slot]?.position = .ready(ready.insert(slot, at: rank))
        return true
    }
}
