import Glibc
import Synchronization

/// Allocates the slots of records in a range of addresses.
///
/// Regions with free slots are listed by the size of their slots, so each step takes the same time no matter how many
/// records there are. A region without records is returned to the kernel, and may get another size.
struct Slab {
    let range: AddressRange
    var regions: ContiguousArray<Region>
    /// The regions with free slots, by kind and size of slots.
    private var open = [ContiguousArray<UInt32>](repeating: [], count: 2 * SlotSize.count)
    /// The regions without records.
    var unused: ContiguousArray<UInt32> = []
    /// The number of bytes that were taken from the kernel.
    var committed = 0

    /// The head of the memory, which is the first region and has no slots.
    private let fileHead: FileHead

    /// Creates a slab for memory that is mapped already.
    ///
    /// - Parameter count: The number of regions that an earlier daemon has used.
    init(_ range: AddressRange, regions count: Int) {
        self.range = range
        fileHead = unsafe FileHead(range.start)
        regions = ContiguousArray(repeating: Region(), count: max(1, count))
    }

    // MARK: Slots

    /// Takes a slot, or returns nil if there is no memory.
    ///
    /// Its content is not always zero.
    mutating func take(_ size: Int, _ kind: Region.Kind) -> RecordID? {
        guard let slot = SlotSize(for: size) else { return nil }
        let list = Self.list(of: slot, kind)
        guard let index = open[list].last.map(Int.init) ?? openRegion(slot, kind) else { return nil }
        guard let id = takeSlot(in: index) else { return nil }
        regions[index].used += 1
        if regions[index].isFull { close(index) }
        return id
    }

    private mutating func takeSlot(in index: Int) -> RecordID? {
        let free = regions[index].firstFree
        if free != .none {
            regions[index].firstFree = RecordID(units: unsafe address(free).load(fromByteOffset: 4, as: UInt32.self))
            return free
        }
        let fresh = regions[index].fresh
        let end = fresh + regions[index].slotUnits
        guard commit(index, upTo: Int(end) * SlotSize.unit) else { return nil }
        regions[index].fresh = end
        return RecordID(units: UInt32(index * Region.units) + fresh)
    }

    /// Overwrites a slot and frees it.
    mutating func free(_ id: RecordID) {
        let index = region(of: id)
        let bytes = Int(regions[index].slotUnits) * SlotSize.unit
        let slot = unsafe address(id)
        // The state comes first, so the next daemon overwrites the rest of what this one may leave.
        unsafe slot.storeBytes(of: RecordState.dropped.rawValue, as: UInt8.self)
        atomicMemoryFence(ordering: .releasing)
        unsafe explicit_bzero(slot + 1, bytes - 1)
        atomicMemoryFence(ordering: .releasing)
        unsafe slot.storeBytes(of: RecordState.free.rawValue, as: UInt8.self)
        unsafe slot.storeBytes(of: regions[index].firstFree.units, toByteOffset: 4, as: UInt32.self)
        let wasFull = regions[index].isFull
        regions[index].firstFree = id
        regions[index].used -= 1
        if regions[index].used == 0 {
            releaseRegion(index)
        } else if wasFull {
            list(index)
        }
    }

    /// Returns the size of a record's slot in bytes.
    func size(of id: RecordID) -> Int { Int(regions[region(of: id)].slotUnits) * SlotSize.unit }

    /// Returns the address of a record.
    func address(_ id: RecordID) -> UnsafeMutableRawPointer { unsafe range.start + id.offset }

    func region(of id: RecordID) -> Int { Int(id.units) / Region.units }

    // MARK: Regions

    private mutating func openRegion(_ slot: SlotSize, _ kind: Region.Kind) -> Int? {
        guard let index = unused.popLast().map(Int.init) ?? newRegion() else { return nil }
        guard commit(index, upTo: Region.headUnits * SlotSize.unit) else {
            unused.append(UInt32(index))
            return nil
        }
        regions[index].kind = kind
        regions[index].slotUnits = UInt32(slot.units)
        regions[index].fresh = UInt32(Region.headUnits)
        unsafe RegionHead(slotUnits: UInt32(slot.units), kind: kind, index: index).write(to: head(of: index))
        list(index)
        return index
    }

    private mutating func newRegion() -> Int? {
        let index = regions.count
        if (index + 1) * Region.size > range.mapped, !range.grow() { return nil }
        regions.append(Region())
        fileHead.regions = regions.count
        return index
    }

    mutating func releaseRegion(_ index: Int) {
        if regions[index].position >= 0 { close(index) }
        unsafe RegionHead.erase(head(of: index))
        let start = index * Region.size
        // The links between free slots are all that is left in it.
        let count = regions[index].committed
        let isReturned = range.decommit(start..<start + Region.size)
        if isReturned { committed -= Int(count) }
        regions[index] = Region(committed: isReturned ? 0 : count)
        // A damaged head may have been overwritten with its count.
        if !isReturned, count > 0 { unsafe RegionHead.setCommitted(Int(count), head(of: index)) }
        unused.append(UInt32(index))
    }

    func head(of index: Int) -> UnsafeMutableRawPointer { unsafe range.start + index * Region.size }

    /// Takes the memory of a region up to an offset from the kernel, or returns false if it has none.
    private mutating func commit(_ index: Int, upTo end: Int) -> Bool {
        let before = Int(regions[index].committed)
        guard end > before else { return true }
        let after = min(Region.size, (end + Region.step - 1) / Region.step * Region.step)
        let start = index * Region.size
        guard range.commit(start + before..<start + after) else { return false }
        regions[index].committed = UInt32(after)
        committed += after - before
        unsafe RegionHead.setCommitted(after, head(of: index))
        return true
    }

    // MARK: Lists

    private static func list(of slot: SlotSize, _ kind: Region.Kind) -> Int {
        slot.index + Int(kind.rawValue) * SlotSize.count
    }

    private func list(of index: Int) -> Int? {
        guard let kind = regions[index].kind, let slot = SlotSize(units: Int(regions[index].slotUnits)) else {
            return nil
        }
        return Self.list(of: slot, kind)
    }

    /// Adds a region to those with free slots.
    mutating func list(_ index: Int) {
        guard let list = list(of: index) else { return }
        regions[index].position = Int32(open[list].count)
        open[list].append(UInt32(index))
    }

    /// Removes a region from those with free slots.
    private mutating func close(_ index: Int) {
        guard let list = list(of: index), let last = open[list].popLast() else { return }
        let position = Int(regions[index].position)
        if Int(last) != index {
            open[list][position] = last
            regions[Int(last)].position = Int32(position)
        }
        regions[index].position = -1
    }
}
