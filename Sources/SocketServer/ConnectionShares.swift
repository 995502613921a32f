import TokenCache

/// How many connections each uid has, and which uid gives one up where another has no room.
struct ConnectionShares {
    /// Refusals are counted for so many uids; those that come later are not told apart.
    private static let mostCountedUsers = 1_024

    /// Open connections by uid.
    private(set) var open: [UInt32: Int] = [:]
    /// Connections that were refused or had to give way, by uid.
    private(set) var refused: [UInt32: Int] = [:]

    /// A connection was accepted.
    mutating func opened(by uid: UInt32) { open[uid, default: 0] += 1 }

    /// A connection is gone.
    mutating func closed(by uid: UInt32) {
        open[uid, default: 1] -= 1
        if open[uid] == 0 { open[uid] = nil }
    }

    /// A connection was refused, or had to give way.
    mutating func refused(to uid: UInt32) {
        guard refused[uid] != nil || refused.count < Self.mostCountedUsers else { return }
        refused[uid, default: 0] += 1
    }

    /// The uid that gives a connection up for one more of another, where all are taken; nil: the newcomer is the one who is
    /// refused, as it has its quota or nobody has more than theirs.
    func toGiveWay(to uid: UInt32, limit: Int, share: Double) -> UInt32? {
        let own = open[uid] ?? 0
        let bound = Quota.bound(limit, share: share, contenders: open.count + (own == 0 ? 1 : 0))
        guard own < bound, let largest = open.max(by: { $0.value < $1.value }), largest.value > bound else {
            return nil
        }
        return largest.key
    }
}
