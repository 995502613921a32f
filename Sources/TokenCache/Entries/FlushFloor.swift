/// The floor of a flushed tenant: what is below it is gone, and is freed in slices.
struct FlushFloor {
    /// The serial number up to which calls are outdated.
    let serial: UInt64
    /// The count of uses up to which entries are gone.
    let use: UInt64
    /// The number of slots at the time of the flush.
    let end: Int
    /// The next slot to free.
    var next = 0
}
