import Glibc

/// Taking over the regions of an earlier daemon.
extension Slab {
    /// Reads what a region has according to its head, or frees it if it is unused or damaged.
    mutating func open(_ index: Int) {
        let (head, start) = unsafe (self.head(of: index), index * Region.size)
        // An unused region may have no page, and the kernel none for it.
        guard range.commit(start..<start + Region.headUnits * SlotSize.unit) else {
            return unused.append(UInt32(index))
        }
        regions[index].committed = UInt32(unsafe RegionHead.committed(head))
        committed += Int(regions[index].committed)
        guard let found = unsafe RegionHead(head, index: index) else { return clear(index) }
        regions[index].kind = found.kind
        regions[index].slotUnits = found.slotUnits
    }

    /// Returns the slots of a region that can have records.
    func slots(of index: Int) -> StrideTo<UInt32> {
        let region = regions[index]
        let start = UInt32(index * Region.units)
        let units = region.slotUnits > 0 ? region.committed / UInt32(SlotSize.unit) : 0
        let end = units < region.slotUnits + UInt32(Region.headUnits) ? 0 : units - region.slotUnits + 1
        return stride(from: start + UInt32(Region.headUnits), to: start + end, by: Int(max(1, region.slotUnits)))
    }

    /// Frees all slots of a region but some, and overwrites what is left in them.
    ///
    /// - Parameter kept: The slots with records, in their order.
    mutating func close(_ index: Int, keeping kept: [RecordID]) {
        var passed = 0
        var free: [RecordID] = []
        for units in slots(of: index) {
            let id = RecordID(units: units)
            if passed < kept.count, kept[passed] == id {
                passed += 1
                for id in free { link(id, in: index) }
                free.removeAll(keepingCapacity: true)
            } else {
                overwrite(id, Int(regions[index].slotUnits) * SlotSize.unit)
                free.append(id)
            }
        }
        if let last = kept.last {
            regions[index].used = UInt32(kept.count)
            regions[index].fresh = last.units - UInt32(index * Region.units) + regions[index].slotUnits
        }
        if regions[index].used == 0 { releaseRegion(index) } else if !regions[index].isFull { list(index) }
    }

    /// True if a slot has the record of a class.
    func hasClass(at id: RecordID) -> Bool {
        let index = region(of: id)
        guard regions.indices.contains(index), regions[index].kind == .classes else { return false }
        let region = regions[index]
        let offset = id.units % UInt32(Region.units)
        guard offset >= UInt32(Region.headUnits), offset < region.fresh,
            (offset - UInt32(Region.headUnits)) % region.slotUnits == 0
        else { return false }
        return state(of: id) == .tokenClass
    }

    /// Returns the state of a slot, or nil if it has none that is known.
    func state(of id: RecordID) -> RecordState? { RecordState(rawValue: unsafe address(id).load(as: UInt8.self)) }

    private func overwrite(_ id: RecordID, _ bytes: Int) {
        guard state(of: id) != .free else { return }
        unsafe explicit_bzero(address(id), bytes)
    }

    private mutating func link(_ id: RecordID, in index: Int) {
        unsafe address(id).storeBytes(of: regions[index].firstFree.units, toByteOffset: 4, as: UInt32.self)
        regions[index].firstFree = id
    }

    /// Frees a region that is unused or damaged, and overwrites it if it is damaged.
    private mutating func clear(_ index: Int) {
        let head = unsafe self.head(of: index)
        let start = index * Region.size
        if unsafe head.load(as: UInt32.self) != 0, range.commit(start..<start + Region.size) {
            unsafe explicit_bzero(head, Region.size)
        }
        releaseRegion(index)
    }
}
