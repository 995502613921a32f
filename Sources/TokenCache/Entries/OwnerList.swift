/// The entries of one uid in the order of use.
struct OwnerList {
    /// The owner.
    var uid: PeerUID
    /// The slot of the newest entry, or the store's `none`.
    var newest: Int32
    /// The slot of the oldest entry, or the store's `none`.
    var oldest: Int32
    /// The number of linked entries, including flushed ones that have not been swept.
    var linked = 0
    /// The number of entries.
    var count = 0
}
