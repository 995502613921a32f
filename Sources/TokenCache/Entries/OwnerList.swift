/// The slots of one uid in the order of use.
struct OwnerList {
    /// The owner.
    var uid: PeerUID
    /// The slot of the newest entry, or the order's `none`.
    var newest: Int32
    /// The slot of the oldest entry, or the order's `none`.
    var oldest: Int32
    /// The number of its slots, including those of flushed entries that have not been swept.
    var members = 0
    /// The number of entries.
    var count = 0
}
