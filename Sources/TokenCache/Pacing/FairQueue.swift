import DequeModule

/// A fair queue of calls: the peers take turns, and each peer's calls go first in, first out.
///
/// So one app's thousand calls don't delay another app's single call.
struct FairQueue {
    /// The position of a call, the same until the call is removed.
    struct Ticket: Equatable {
        let peer: PeerUID
        fileprivate let number: Int
    }

    /// The progress of a walk through the calls in their order, while some of them are removed.
    struct Walk {
        fileprivate var peers: [PeerUID]
        fileprivate var turn = 0
        fileprivate var last: [PeerUID: Int] = [:]
    }

    private var queues: [PeerUID: RankedQueue] = [:]
    /// The peers whose queues are not empty, in the order of their turns.
    private var turns: Deque<PeerUID> = []
    private var lastNumber = 0

    /// The number of queued calls.
    private(set) var count = 0

    /// Returns the number of a peer's queued calls.
    func count(of peer: PeerUID) -> Int { queues[peer]?.count ?? 0 }

    /// The peers with queued calls, in the order of their turns.
    var peers: Deque<PeerUID> { turns }

    /// The next call.
    var first: CallID? { turns.first.flatMap { queues[$0]?.first } }

    /// Returns the last call of a peer.
    func last(of peer: PeerUID) -> CallID? { queues[peer]?.last }

    /// Appends a call to its peer's queue.
    mutating func append(_ call: CallID, for peer: PeerUID) -> Ticket {
        lastNumber += 1
        if queues[peer] == nil { turns.append(peer) }
        queues[peer, default: RankedQueue()].append(call, number: lastNumber)
        count += 1
        return Ticket(peer: peer, number: lastNumber)
    }

    /// Removes the next call.
    ///
    /// Its peer has its next turn last.
    mutating func removeFirst() {
        guard let peer = turns.popFirst() else { return }
        queues[peer]?.removeFirst()
        count -= 1
        if queues[peer]?.isEmpty == true { queues[peer] = nil } else { turns.append(peer) }
    }

    /// Removes a call at any position.
    mutating func remove(_ ticket: Ticket) {
        let before = count(of: ticket.peer)
        queues[ticket.peer]?.remove(number: ticket.number)
        count -= before - count(of: ticket.peer)
        guard queues[ticket.peer]?.isEmpty == true else { return }
        queues[ticket.peer] = nil
        turns.removeAll { $0 == ticket.peer }
    }

    /// Returns the number of calls that go before a call.
    func rank(of ticket: Ticket) -> Int {
        rank(of: queues[ticket.peer]?.rank(of: ticket.number) ?? 0, in: ticket.peer)
    }

    /// Returns the number of calls that would go before a new call of a peer, or before one behind others of its own.
    func rankOfNext(for peer: PeerUID, behind others: Int = 0) -> Int { rank(of: count(of: peer) + others, in: peer) }

    /// Returns the number of calls that go before the one at an index of a peer's queue.
    private func rank(of index: Int, in peer: PeerUID) -> Int {
        // A peer without calls would have its first turn last.
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

    /// Starts a walk through the calls in their order.
    func walk() -> Walk { Walk(peers: Array(turns)) }

    /// Returns the current call of a walk, or nil at the end.
    ///
    /// It stays the same until it is passed or removed.
    func next(_ walk: inout Walk) -> CallID? {
        for _ in walk.peers.indices {
            let peer = walk.peers[walk.turn]
            if let (_, call) = queues[peer]?.first(after: walk.last[peer] ?? 0) { return call }
            walk.turn = (walk.turn + 1) % walk.peers.count
        }
        return nil
    }

    /// Moves a walk past the call that ``next(_:)`` returned, to the next peer.
    func pass(_ walk: inout Walk) {
        let peer = walk.peers[walk.turn]
        if let (number, _) = queues[peer]?.first(after: walk.last[peer] ?? 0) { walk.last[peer] = number }
        walk.turn = (walk.turn + 1) % walk.peers.count
    }
}
