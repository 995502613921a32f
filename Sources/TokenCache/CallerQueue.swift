import DequeModule

/// Callers' calls in the order in which they go: the peers take turns, and a peer's own calls go in the order in which
/// they came, so that one app's thousand don't hold up another's one.
///
/// Every call can be asked for its place. It has a number within its peer's queue, higher at the end; so the queue is
/// sorted by it, and the call is found by halving.
struct CallerQueue {
    private struct Place {
        let number: Int
        let call: CallID
    }

    private struct Ticket {
        let peer: PeerUID?
        let number: Int
    }

    /// Calls that go before all others, whoever wants them.
    private var first: Deque<CallID> = []
    private var queues: [PeerUID: Deque<Place>] = [:]
    /// The peers whose queues are not empty, in the order of their turns.
    private var turns: Deque<PeerUID> = []
    private var tickets: [CallID: Ticket] = [:]
    private var lastNumber = 0

    /// How many wait.
    var count: Int { tickets.count }

    /// Puts a call last in its peer's queue.
    mutating func append(_ call: CallID, for peer: PeerUID) {
        lastNumber += 1
        tickets[call] = Ticket(peer: peer, number: lastNumber)
        if queues[peer] == nil { turns.append(peer) }
        queues[peer, default: []].append(Place(number: lastNumber, call: call))
    }

    /// Puts a call before all others.
    mutating func prepend(_ call: CallID) {
        tickets[call] = Ticket(peer: nil, number: 0)
        first.append(call)
    }

    /// Takes the first one out.
    mutating func popFirst() -> CallID? {
        if let call = first.popFirst() {
            tickets[call] = nil
            return call
        }
        guard let peer = turns.popFirst(), let place = queues[peer]?.popFirst() else { return nil }
        tickets[place.call] = nil
        if queues[peer]?.isEmpty == true { queues[peer] = nil } else { turns.append(peer) }
        return place.call
    }

    /// Takes a call out, wherever it stands.
    mutating func remove(_ call: CallID) {
        guard let ticket = tickets.removeValue(forKey: call) else { return }
        guard let peer = ticket.peer else {
            first.removeAll { $0 == call }
            return
        }
        guard let index = index(of: ticket.number, in: peer) else { return }
        queues[peer]?.remove(at: index)
        guard queues[peer]?.isEmpty == true else { return }
        queues[peer] = nil
        turns.removeAll { $0 == peer }
    }

    /// Another peer has come to wait for a call: it goes in that peer's turn where that is earlier.
    mutating func join(_ call: CallID, _ peer: PeerUID) {
        guard let ticket = tickets[call], let owner = ticket.peer, owner != peer, let present = place(of: call),
            placeOfNew(for: peer) < present
        else { return }
        remove(call)
        append(call, for: peer)
    }

    /// How many go before a call; nil: it is not queued.
    func place(of call: CallID) -> Int? {
        guard let ticket = tickets[call] else { return nil }
        guard let peer = ticket.peer else { return first.firstIndex(of: call) }
        return index(of: ticket.number, in: peer).map { place(of: $0, in: peer) }
    }

    /// How many would go before a call that a peer queued now.
    func placeOfNew(for peer: PeerUID) -> Int { place(of: queues[peer]?.count ?? 0, in: peer) }

    /// All of them, first to last.
    var inOrder: [CallID] {
        var copy = self
        var calls: [CallID] = []
        while let call = copy.popFirst() { calls.append(call) }
        return calls
    }

    /// The number of calls that go before the one at an index of a peer's queue.
    private func place(of index: Int, in peer: PeerUID) -> Int {
        // A peer that isn't there yet would have its first turn last.
        var isBefore = true
        var before = first.count + index
        for other in turns {
            if other == peer {
                isBefore = false
                continue
            }
            before += min(queues[other]?.count ?? 0, index + (isBefore ? 1 : 0))
        }
        return before
    }

    private func index(of number: Int, in peer: PeerUID) -> Int? {
        guard let queue = queues[peer] else { return nil }
        var range = queue.startIndex..<queue.endIndex
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if queue[middle].number < number {
                range = (middle + 1)..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        return range.lowerBound < queue.endIndex ? range.lowerBound : nil
    }
}
