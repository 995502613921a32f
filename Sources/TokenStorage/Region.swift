/// A part of the memory that is divided into slots of one size.
///
/// Its head in the memory (``RegionHead``) says which size. All else is known only to the present daemon.
struct Region {
    /// The size of a region in bytes.
    static let size = 262_144
    /// The size of a region in units.
    static let units = size / SlotSize.unit
    /// The size of the head in units, which is a line of the processor's caches.
    static let headUnits = 4
    /// The number of units for slots.
    static let capacity = units - headUnits
    /// The number of bytes that are taken from the kernel at once.
    static let step = 65_536

    /// The records of a region.
    enum Kind: UInt32 {
        case tokens
        case classes
    }

    /// The content of the region, or nil if it is unused.
    var kind: Kind?
    /// The size of a slot in units.
    var slotUnits: UInt32 = 0
    /// The number of slots in use.
    var used: UInt32 = 0
    /// The first freed slot, each of which has the offset of the next, as a record ID.
    var firstFree = RecordID.none
    /// The offset in units, within the region, of the first slot that was never used.
    var fresh = UInt32(headUnits)
    /// The number of bytes, from the start, that were taken from the kernel.
    var committed: UInt32 = 0
    /// The position among the regions with free slots, or -1.
    var position: Int32 = -1

    /// True if all slots are in use.
    var isFull: Bool { firstFree == .none && fresh + slotUnits > UInt32(Self.units) }
}
