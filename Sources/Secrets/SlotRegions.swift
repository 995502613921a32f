/// The regions of one slot size that have free slots.
///
/// Each knows its index.
struct SlotRegions {
    private var regions: [SlotRegion] = []

    /// True if there is no free slot.
    var isEmpty: Bool { regions.isEmpty }

    /// Adds a region.
    mutating func insert(_ region: SlotRegion) {
        region.position = regions.count
        regions.append(region)
    }

    /// Takes a slot.
    ///
    /// There must be a region.
    mutating func takeSlot() -> UnsafeMutableRawPointer {
        let region = regions[regions.count - 1]
        let slot = unsafe region.takeSlot()
        if region.isFull { remove(region) }
        return unsafe slot
    }

    /// Frees a slot, and returns its region if that is unused now and isn't the only one.
    mutating func release(_ slot: UnsafeMutableRawPointer) -> SlotRegion? {
        let region = unsafe SlotRegion(of: slot)
        unsafe region.release(slot)
        if region.position == nil { insert(region) }
        guard region.isUnused, regions.count > 1 else { return nil }
        remove(region)
        return region
    }

    private mutating func remove(_ region: SlotRegion) {
        guard let position = region.position else { return }
        let last = regions.removeLast()
        if position < regions.count {
            regions[position] = last
            last.position = position
        }
        region.position = nil
    }
}
