import TokenCache

/// Counts the bytes of replies that peers have not taken yet, over all connections and by uid, against one bound.
struct Backlog {
    /// Past so many bytes no connection on which something waits gets more, until its peer has taken all of it.
    ///
    /// One connection alone may have half a MiB; a thousand peers that don't read would have it a thousand times.
    static let most = 64 * 1_024 * 1_024

    /// After so many bytes were freed the C library's heap may hold many pages that nobody uses.
    private static let muchReleased = 16 * 1_024 * 1_024
    /// And while so many wait, more will be freed.
    private static let littleLeft = 1_024 * 1_024

    let most: Int
    private(set) var total = 0
    private var byUser: [UInt32: Int] = [:]
    private var released = 0

    init(most: Int = Self.most) { self.most = most }

    /// Whether a uid's connections on which something waits must get no more.
    ///
    /// - Parameter share: The part that one uid may have while others have some, too.
    func isTight(for uid: UInt32, share: Double) -> Bool {
        guard total < most else { return true }
        guard byUser.count > 1, let own = byUser[uid] else { return false }
        return own >= Quota.bound(most, share: share, contenders: byUser.count)
    }

    /// Notes bytes that wait.
    mutating func add(_ count: Int, of uid: UInt32) {
        total += count
        byUser[uid, default: 0] += count
    }

    /// Notes bytes that wait no more.
    mutating func remove(_ count: Int, of uid: UInt32) {
        total -= count
        released += count
        byUser[uid, default: count] -= count
        if byUser[uid] == 0 { byUser[uid] = nil }
    }

    /// Whether much has been freed since this was last true, and little waits.
    mutating func hasReleasedMuch() -> Bool {
        guard released >= Self.muchReleased, total <= Self.littleLeft else { return false }
        released = 0
        return true
    }
}
