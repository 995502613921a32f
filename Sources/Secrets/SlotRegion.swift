/// A region of memory that is divided into slots of one size, with a head that records which are free.
///
/// Its address is a multiple of its size, so the region of a slot is found by the slot's address.
@safe struct SlotRegion {
    /// The size of a region, which fits 48 tokens of the usual size.
    ///
    /// A huge page holds 32 regions.
    static let size = 65_536
    /// The maximum slot size.
    ///
    /// Larger secrets have pages of their own.
    private static let largestSlot = 8_192
    /// The size of a cache line.
    ///
    /// Slots are multiples of it, and the head takes one.
    private static let line = 64

    private struct Head {
        var slotSize: Int32
        /// The number of slots in use.
        var used: Int32 = 0
        /// The offset of the first freed slot, each of which has the offset of the next, or zero.
        var firstFree: Int32 = 0
        /// The offset of the first slot that was never used.
        var fresh: Int32 = Int32(line)
        /// The index among the regions with free slots, or -1.
        var position: Int32 = -1
    }

    let start: UnsafeMutableRawPointer

    private var head: UnsafeMutablePointer<Head> { unsafe start.assumingMemoryBound(to: Head.self) }

    /// Returns the slot size for a secret, or nil if it is too large.
    static func slotSize(for count: Int) -> Int? {
        count <= largestSlot ? max(1, (count + line - 1) / line) * line : nil
    }

    /// Finds the region of a slot.
    init(of slot: UnsafeMutableRawPointer) {
        let offset = Int(bitPattern: slot) & (Self.size - 1)
        unsafe start = slot - offset
    }

    private init(start: UnsafeMutableRawPointer) { unsafe self.start = start }

    /// Maps a region, or returns nil if the kernel has no memory left.
    static func map(slotSize: Int, _ map: SecretPages.Mapper) -> SlotRegion? {
        // Twice the size contains an aligned region. The rest is unmapped at once.
        guard let pages = unsafe map(2 * size) else { return nil }
        let before = (size - Int(bitPattern: pages) & (size - 1)) & (size - 1)
        if before > 0 { unsafe SecretPages.unmap(pages, before) }
        unsafe SecretPages.unmap(pages + before + size, size - before)
        let region = unsafe SlotRegion(start: pages + before)
        unsafe region.head.initialize(to: Head(slotSize: Int32(slotSize)))
        return region
    }

    /// True if all slots are in use.
    var isFull: Bool {
        unsafe head.pointee.firstFree == 0 && Int(head.pointee.fresh + head.pointee.slotSize) > Self.size
    }

    /// True if no slot is in use.
    var isUnused: Bool { unsafe head.pointee.used == 0 }

    /// The index among the regions with free slots, or nil if it has none.
    var position: Int? {
        get { unsafe head.pointee.position < 0 ? nil : Int(head.pointee.position) }
        nonmutating set { unsafe head.pointee.position = newValue.map(Int32.init) ?? -1 }
    }

    /// Takes a zeroed slot.
    ///
    /// There must be a free one.
    func takeSlot() -> UnsafeMutableRawPointer {
        unsafe head.pointee.used += 1
        let free = unsafe Int(head.pointee.firstFree)
        guard free != 0 else {
            let slot = unsafe start + Int(head.pointee.fresh)
            unsafe head.pointee.fresh += head.pointee.slotSize
            return unsafe slot
        }
        let slot = unsafe start + free
        unsafe head.pointee.firstFree = slot.load(as: Int32.self)
        unsafe slot.storeBytes(of: 0, as: Int32.self)
        return unsafe slot
    }

    /// Frees a slot.
    func release(_ slot: UnsafeMutableRawPointer) {
        unsafe head.pointee.used -= 1
        unsafe slot.storeBytes(of: head.pointee.firstFree, as: Int32.self)
        unsafe head.pointee.firstFree = Int32(slot - start)
    }
}
