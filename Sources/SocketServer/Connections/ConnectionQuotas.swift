import TokenCache

/// Counts the connections of each uid, and finds the uid that has to give one up for another.
package struct ConnectionQuotas {
    /// Rejections are counted for this many uids.
    ///
    /// Those of further uids are not told apart.
    private static let maxCountedUIDs = 1_024

    /// Open connections by uid.
    package private(set) var open: [UInt32: Int] = [:]
    /// The uids by the number of their open connections, so that the uid with the most is found at once.
    private var byCount: [Int: Set<UInt32>] = [:]
    /// The largest number of open connections of one uid.
    private var largest = 0
    /// Connections by uid that were rejected or closed for another uid's.
    package private(set) var rejected: [UInt32: Int] = [:]

    /// Creates quotas for a server without connections.
    package init() {}

    /// Counts a connection that was accepted.
    package mutating func opened(by uid: UInt32) { change(uid, by: 1) }

    /// Counts a connection that was closed.
    package mutating func closed(by uid: UInt32) { change(uid, by: -1) }

    private mutating func change(_ uid: UInt32, by difference: Int) {
        let old = open[uid] ?? 0
        let new = old + difference
        open[uid] = new > 0 ? new : nil
        byCount[old]?.remove(uid)
        if byCount[old]?.isEmpty == true { byCount[old] = nil }
        if new > 0 { byCount[new, default: []].insert(uid) }
        // The largest number changes by one at most, as only this uid's does.
        if new > largest || old == largest && byCount[old] == nil { largest = new }
    }

    /// Counts a connection that was rejected, or closed for another uid's.
    package mutating func rejected(by uid: UInt32) {
        guard rejected[uid] != nil || rejected.count < Self.maxCountedUIDs else { return }
        rejected[uid, default: 0] += 1
    }

    /// The uid that has to give up a connection for a new one of another uid, when all are taken.
    ///
    /// - Returns: Nil if the new connection is the one to reject: its uid has its quota, or no uid is over its own.
    package func donor(for uid: UInt32, limit: Int, share: Double) -> UInt32? {
        let own = open[uid] ?? 0
        let bound = Quota.bound(limit, share: share, contenders: open.count + (own == 0 ? 1 : 0))
        guard own < bound, largest > bound else { return nil }
        return byCount[largest]?.first
    }
}
