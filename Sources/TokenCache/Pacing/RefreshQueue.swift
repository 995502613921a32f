/// The calls that nobody waits for and that have an end: refreshes of living tokens, and revocations that were answered.
///
/// The one whose token ends first is ahead; those that are tried again come in when their pause is over.
struct RefreshQueue {
    /// Names a call while it is queued.
    struct Ticket: Equatable {
        fileprivate let slot: Int
    }

    /// By the end of the token, then by the order in which they were planned.
    private struct Rank: Comparable {
        let tokenEnds: Instant
        let call: CallID

        static func < (left: Rank, right: Rank) -> Bool {
            (left.tokenEnds, left.call) < (right.tokenEnds, right.call)
        }
    }

    private enum Place {
        case ready(IndexedHeap<Rank, Int>.Handle)
        case pausing(IndexedHeap<Instant, Int>.Handle)
    }

    private struct Item {
        let rank: Rank
        /// From when on it goes before prefetches, too.
        let urgentFrom: Instant?
        var place: Place
    }

    private var items = Slab<Item>()
    private var ready = IndexedHeap<Rank, Int>()
    private var pausing = IndexedHeap<Instant, Int>()

    var count: Int { items.count }

    /// The call that goes first, and when its token ends.
    var first: (call: CallID, tokenEnds: Instant)? { ready.minPriority.map { ($0.call, $0.tokenEnds) } }

    /// When the next pause is over.
    var nextEndOfPause: Instant? { pausing.minPriority }

    /// Whether the first call's token is at its last chance.
    func isUrgent(at now: Instant) -> Bool {
        ready.min.flatMap { items[$0.payload]?.urgentFrom }.map { $0 <= now } ?? false
    }

    mutating func insert(_ call: CallID, tokenEnds: Instant, urgentFrom: Instant?, notBefore: Instant?) -> Ticket {
        let rank = Rank(tokenEnds: tokenEnds, call: call)
        let slot = items.nextIndex
        let place: Place =
            if let notBefore {
                .pausing(pausing.insert(slot, at: notBefore))
            } else {
                .ready(ready.insert(slot, at: rank))
            }
        _ = items.insert(Item(rank: rank, urgentFrom: urgentFrom, place: place))
        return Ticket(slot: slot)
    }

    mutating func remove(_ ticket: Ticket) {
        switch items.remove(ticket.slot)?.place {
        case .ready(let handle): ready.remove(handle)
        case .pausing(let handle): pausing.remove(handle)
        case nil: break
        }
    }

    /// Lets one call in whose pause is over; false: there is none.
    ///
    /// - Parameter now: nil: whether it is over or not.
    mutating func endPause(at now: Instant?) -> Bool {
        guard let time = pausing.minPriority, now.map({ time <= $0 }) ?? true, let slot = pausing.removeMin(),
            let rank = items[slot]?.rank
        else { return false }
        items[slot]?.place = .ready(ready.insert(slot, at: rank))
        return true
    }
}
