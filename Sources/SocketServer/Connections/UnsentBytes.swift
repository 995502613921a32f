import TokenCache

/// Counts the bytes of replies that peers have not read yet, over all connections and by uid, against one limit.
package struct UnsentBytes {
    /// Above this total, a connection with unsent replies gets no more until its peer has read all of them.
    ///
    /// One connection alone may have half a MiB. A thousand peers that don't read would have a thousand times as much.
    package static let defaultLimit = 64 * 1_024 * 1_024

    /// After this many bytes were freed, the C library's heap may hold many unused pages.
    private static let releaseThreshold = 16 * 1_024 * 1_024
    /// While more than this is unsent, more memory will be freed soon.
    private static let releaseRemainder = 1_024 * 1_024

    /// The limit of all unsent bytes.
    package let limit: Int
    /// The unsent bytes of all connections.
    package private(set) var total = 0
    private var byUID: [UInt32: Int] = [:]
    private var released = 0

    /// Creates a counter for a server without unsent bytes.
    package init(limit: Int = Self.defaultLimit) { self.limit = limit }

    /// True if connections of a uid that have unsent replies must not get more.
    ///
    /// - Parameter share: The part of the limit that one uid may use while other uids have unsent replies, too.
    package func isExhausted(for uid: UInt32, share: Double) -> Bool {
        guard total < limit else { return true }
        guard byUID.count > 1, let own = byUID[uid] else { return false }
        return own >= Quota.bound(limit, share: share, contenders: byUID.count)
    }

    /// Adds bytes that wait for their peer.
    package mutating func add(_ count: Int, of uid: UInt32) {
        total += count
        byUID[uid, default: 0] += count
    }

    /// Removes bytes that were sent, or dropped with their connection.
    package mutating func remove(_ count: Int, of uid: UInt32) {
        total -= count
        released += count
        byUID[uid, default: count] -= count
        if byUID[uid] == 0 { byUID[uid] = nil }
    }

    /// Returns true if much memory was freed since it last returned true, and little is unsent.
    package mutating func hasReleasedMuch() -> Bool {
        guard released >= Self.releaseThreshold, total <= Self.releaseRemainder else { return false }
        released = 0
        return true
    }
}
