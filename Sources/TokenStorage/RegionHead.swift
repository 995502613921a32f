import Synchronization

/// The head of a region in the memory.
///
///     0 size of the slots in units, or zero if the region is unused · 4 kind · 8 check of these and the position
///     16 steps of memory in use, and their complement
@safe struct RegionHead: Equatable {
    let slotUnits: UInt32
    let kind: Region.Kind
    private let check: UInt64

    /// Creates the head of a region.
    init(slotUnits: UInt32, kind: Region.Kind, index: Int) {
        self.slotUnits = slotUnits
        self.kind = kind
        check = Self.check(slotUnits, kind, index)
    }

    /// Reads a region's head, or returns nil if it is unused or damaged.
    init?(_ memory: UnsafeMutableRawPointer, index: Int) {
        let slotUnits = unsafe memory.load(as: UInt32.self)
        guard SlotSize(units: Int(slotUnits)) != nil,
            let kind = Region.Kind(rawValue: unsafe memory.load(fromByteOffset: 4, as: UInt32.self)),
            unsafe memory.load(fromByteOffset: 8, as: UInt64.self) == Self.check(slotUnits, kind, index)
        else { return nil }
        self.init(slotUnits: slotUnits, kind: kind, index: index)
    }

    /// Writes the head, the size last.
    func write(to memory: UnsafeMutableRawPointer) {
        unsafe memory.storeBytes(of: kind.rawValue, toByteOffset: 4, as: UInt32.self)
        unsafe memory.storeBytes(of: check, toByteOffset: 8, as: UInt64.self)
        atomicMemoryFence(ordering: .releasing)
        unsafe memory.storeBytes(of: slotUnits, as: UInt32.self)
    }

    /// The number of bytes from a region's start that can have records.
    ///
    /// That is nothing if it was never set, and the whole region if it is damaged.
    static func committed(_ memory: UnsafeMutableRawPointer) -> Int {
        let (steps, complement) = unsafe (
            memory.load(fromByteOffset: 16, as: UInt32.self), memory.load(fromByteOffset: 20, as: UInt32.self)
        )
        if steps == 0, complement == 0 { return 0 }
        return steps == ~complement ? min(Int(steps) * Region.step, Region.size) : Region.size
    }

    /// Sets the number of bytes from a region's start that can have records.
    static func setCommitted(_ bytes: Int, _ memory: UnsafeMutableRawPointer) {
        let steps = UInt64(bytes / Region.step)
        let complement = UInt64(~UInt32(truncatingIfNeeded: steps))
        unsafe memory.storeBytes(of: steps | complement << 32, toByteOffset: 16, as: UInt64.self)
    }

    /// Marks a region as unused.
    static func erase(_ memory: UnsafeMutableRawPointer) {
        unsafe memory.storeBytes(of: 0, as: UInt32.self)
    }

    private static func check(_ slotUnits: UInt32, _ kind: Region.Kind, _ index: Int) -> UInt64 {
        Checksum.mixed(UInt64(slotUnits) << 32 | UInt64(kind.rawValue), UInt64(index) + 1)
    }
}
