/// One uid's entries in the order in which they were last asked for.
struct OwnerList {
    /// Whose.
    var uid: PeerUID
    /// The slot of the newest; the store's `none` where there is none.
    var newest: Int32
    /// The slot of the oldest; the store's `none` where there is none.
    var oldest: Int32
    /// The number of linked entries, those of a flush included that have not been swept.
    var linked = 0
    /// How many there are.
    var count = 0
}
