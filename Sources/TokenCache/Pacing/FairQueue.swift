import DequeModule

/// Calls in the order in which they go: the peers take turns, and a peer's own calls go in the order in which they came,
/// so that one app's thousand don't hold up another's one.
struct FairQueue {
    /// Where a call stands; it can't change, so it is the same until the call is taken out.
    struct Ticket: Equatable {
        let peer: PeerUID
        fileprivate let number: Int
    }

    /// How far somebody has got who goes through the calls in their order, while some of them are taken out.
    struct Walk {
        fileprivate var peers: [PeerUID]
        fileprivate var turn = 0
        fileprivate var last: [PeerUID: Int] = [:]
    }

    private var queues: [PeerUID: RankedQueue] = [:]
    /// The peers whose queues are not empty, in the order of their turns.
    private var turns: Deque<PeerUID> = []
    private var lastNumber = 0

    /// How many wait.
    private(set) var count = 0

    /// How many of a peer's wait.
    func count(of peer: PeerUID) -> Int { queues[peer]?.count ?? 0 }

    /// The peers that have calls here, in the order of their turns.
    var peers: Deque<PeerUID> { turns }

    /// The call whose turn it is.
    var first: CallID? { turns.first.flatMap { queues[$0]?.first } }

    /// The call of a peer that came last.
    func last(of peer: PeerUID) -> CallID? { queues[peer]?.last }

    /// Puts a call last in its peer's queue.
    mutating func append(_ call: CallID, for peer: PeerUID) -> Ticket {
        lastNumber += 1
        if queues[peer] == nil { turns.append(peer) }
        queues[peer, default: RankedQueue()].append(call, number: lastNumber)
        count += 1
        return Ticket(peer: peer, number: lastNumber)
    }

    /// Takes the call out whose turn it is; its peer has its next turn last.
    mutating func removeFirst() {
        guard let peer = turns.popFirst() else { return }
        queues[peer]?.removeFirst()
        count -= 1
        if queues[peer]?.isEmpty == true { queues[peer] = nil } else { turns.append(peer) }
    }

    /// Takes a call out, wherever it stands.
    mutating func remove(_ ticket: Ticket) {
        let before = count(of: ticket.peer)
        queues[ticket.peer]?.remove(number: ticket.number)
        count -= before - count(of: ticket.peer)
        guard queues[ticket.peer]?.isEmpty == true else { return }
        queues[ticket.peer] = nil
        turns.removeAll { $0 == ticket.peer }
    }

    /// How many go before a call.
    func rank(of ticket: Ticket) -> Int {
        rank(of: queues[ticket.peer]?.rank(of: ticket.number) ?? 0, in: ticket.peer)
    }

    /// How many would go before a call that a peer queued now, or before one behind so many others of its own.
    func rankOfNext(for peer: PeerUID, behind others: Int = 0) -> Int { rank(of: count(of: peer) + others, in: peer) }

    /// The number of calls that go before the one at an index of a peer's queue.
    private func rank(of index: Int, in peer: PeerUID) -> Int {
        // A peer that isn't there yet would have its first turn last.
        var isBefore = true
        var before = index
        for other in turns {
            if other == peer {
                isBefore = false
                continue
            }
            before += min(queues[other]?.count ?? 0, index + (isBefore ? 1 : 0))
        }
        return before
    }

    // MARK: Going through

    /// Begins to go through the calls in their order.
    func walk() -> Walk { Walk(peers: Array(turns)) }

    /// The next call; nil: there are no more.
    ///
    /// It is the same one until it is passed or taken out.
    func next(_ walk: inout Walk) -> CallID? {
        for _ in walk.peers.indices {
            let peer = walk.peers[walk.turn]
            if let (_, call) = queues[peer]?.first(after: walk.last[peer] ?? 0) { return call }
            walk.turn = (walk.turn + 1) % walk.peers.count
        }
        return nil
    }

    /// Passes the call that ``next(_:)`` gave: the next peer has its turn.
    func pass(_ walk: inout Walk) {
        let peer = walk.peers[walk.turn]
        if let (number, _) = queues[peer]?.first(after: walk.last[peer] ?? 0) { walk.last[peer] = number }
        walk.turn = (walk.turn + 1) % walk.peers.count
    }
}
