@testable import TokenCache

/// A fair queue of calls: uids take turns, and each uid's calls go first in, first out.
struct ModelQueue {
    private struct Lane {
        let peer: PeerUID
        var calls: [ModelCall]
    }

    /// The uids that have calls, in the order of their turns.
    private var lanes: [Lane] = []

    var isEmpty: Bool { lanes.isEmpty }
    var count: Int { lanes.reduce(0) { $0 + $1.calls.count } }
    var first: ModelCall? { lanes.first?.calls.first }
    var calls: [ModelCall] { lanes.flatMap(\.calls) }

    mutating func append(_ call: ModelCall, for peer: PeerUID) {
        if let lane = lanes.firstIndex(where: { $0.peer == peer }) {
            lanes[lane].calls.append(call)
        } else {
            lanes.append(Lane(peer: peer, calls: [call]))
        }
    }

    mutating func remove(_ call: ModelCall) {
        for lane in lanes.indices { lanes[lane].calls.removeAll { $0 === call } }
        lanes.removeAll { $0.calls.isEmpty }
    }

    /// Removes the next call.
    ///
    /// Its uid has its next turn last.
    mutating func removeFirst() {
        var lane = lanes.removeFirst()
        lane.calls.removeFirst()
        if !lane.calls.isEmpty { lanes.append(lane) }
    }

    /// Returns the number of calls that go before a call.
    func rank(of call: ModelCall) -> Int {
        for lane in lanes {
            if let index = lane.calls.firstIndex(where: { $0 === call }) { return rank(of: index, in: lane.peer) }
        }
        return 0
    }

    /// Returns the number of calls that would go before a new call of a uid, or before one behind others of its own.
    func rankOfNext(for peer: PeerUID, behind others: Int = 0) -> Int {
        let own = lanes.first { $0.peer == peer }?.calls.count ?? 0
        return rank(of: own + others, in: peer)
    }

    /// Lets the uids take turns up to a uid's call with an index, and returns the number of calls before it.
    private func rank(of index: Int, in peer: PeerUID) -> Int {
        var left = lanes.map { (peer: $0.peer, count: $0.peer == peer ? index + 1 : $0.calls.count) }
        if !left.contains(where: { $0.peer == peer }) { left.append((peer, index + 1)) }
        var (rank, turn) = (0, 0)
        while true {
            if left[turn].count > 0 {
                left[turn].count -= 1
                if left[turn].peer == peer, left[turn].count == 0 { return rank }
                rank += 1
            }
            turn = (turn + 1) % left.count
        }
    }
}
