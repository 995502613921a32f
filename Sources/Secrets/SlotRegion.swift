import Glibc

/// Pages straight from the kernel, zeroed.
package enum SecretPages {
    /// Maps so many bytes; nil: the kernel has none left.
    package typealias Mapper = @Sendable (_ length: Int) -> UnsafeMutableRawPointer?

    private static let pageSize = Int(sysconf(CInt(_SC_PAGESIZE)))

    /// So many bytes as whole pages have.
    static func rounded(_ count: Int) -> Int { max(1, (count + pageSize - 1) / pageSize) * pageSize }

    /// Maps pages, which a core dump leaves out and a forked process doesn't have; nil: the kernel has none left.
    @Sendable package static func map(_ length: Int) -> UnsafeMutableRawPointer? {
        let pages = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { return nil }
        _ = unsafe madvise(pages, length, CInt(MADV_DONTDUMP))
        _ = unsafe madvise(pages, length, CInt(MADV_DONTFORK))
        return unsafe pages
    }

    /// Gives pages back.
    static func unmap(_ start: UnsafeMutableRawPointer, _ length: Int) { _ = unsafe munmap(start, length) }
}

/// A region of memory that is cut into slots of one size, with a head that says which are free.
///
/// It lies at a multiple of its size, so the region of a slot is found by the slot's address.
@safe struct SlotRegion {
    /// 48 tokens of the usual size, with little left over; and two such regions are a huge page's sixteenth.
    static let size = 65_536
    /// Secrets that need more have pages of their own.
    private static let largestSlot = 8_192
    /// Slots are multiples of a cache line, and the head takes one.
    private static let line = 64

    private struct Head {
        var slotSize: Int32
        /// Slots in use.
        var used: Int32 = 0
        /// The first of the slots that were given back, each of which names the next; zero: none.
        var firstFree: Int32 = 0
        /// The first slot that was never used.
        var fresh: Int32 = Int32(line)
        /// Its place among the regions with free slots; -1: it has none.
        var place: Int32 = -1
    }

    let start: UnsafeMutableRawPointer

    private var head: UnsafeMutablePointer<Head> { unsafe start.assumingMemoryBound(to: Head.self) }

    /// The size of the slots that a secret fits; nil: it is too large.
    static func slotSize(for count: Int) -> Int? {
        count <= largestSlot ? max(1, (count + line - 1) / line) * line : nil
    }

    /// The region of a slot.
    init(of slot: UnsafeMutableRawPointer) {
        let offset = Int(bitPattern: slot) & (Self.size - 1)
        unsafe start = slot - offset
    }

    private init(start: UnsafeMutableRawPointer) { unsafe self.start = start }

    /// Maps a region; nil: the kernel has no memory left.
    static func map(slotSize: Int, _ map: SecretPages.Mapper) -> SlotRegion? {
        // Twice as much has a multiple of the size in it; what lies around it goes back at once.
        guard let pages = unsafe map(2 * size) else { return nil }
        let before = (size - Int(bitPattern: pages) & (size - 1)) & (size - 1)
        if before > 0 { unsafe SecretPages.unmap(pages, before) }
        unsafe SecretPages.unmap(pages + before + size, size - before)
        let region = unsafe SlotRegion(start: pages + before)
        unsafe region.head.initialize(to: Head(slotSize: Int32(slotSize)))
        return region
    }

    /// Whether every slot is in use.
    var isFull: Bool {
        unsafe head.pointee.firstFree == 0 && Int(head.pointee.fresh + head.pointee.slotSize) > Self.size
    }

    /// Whether no slot is in use.
    var isUnused: Bool { unsafe head.pointee.used == 0 }

    /// Its place among the regions with free slots; nil: it has none.
    var place: Int? {
        get { unsafe head.pointee.place < 0 ? nil : Int(head.pointee.place) }
        nonmutating set { unsafe head.pointee.place = newValue.map(Int32.init) ?? -1 }
    }

    /// Takes a slot, zeroed; there must be one.
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

    /// Takes a slot back.
    func giveBack(_ slot: UnsafeMutableRawPointer) {
        unsafe head.pointee.used -= 1
        unsafe slot.storeBytes(of: head.pointee.firstFree, as: Int32.self)
        unsafe head.pointee.firstFree = Int32(slot - start)
    }
}

/// The regions of one slot size that have free slots; each knows its place.
struct SlotRegions {
    private var regions: [SlotRegion] = []

    /// Whether there is no free slot.
    var isEmpty: Bool { regions.isEmpty }

    /// Adds a region.
    mutating func insert(_ region: SlotRegion) {
        region.place = regions.count
        regions.append(region)
    }

    /// Takes a slot; there must be a region.
    mutating func takeSlot() -> UnsafeMutableRawPointer {
        let region = regions[regions.count - 1]
        let slot = unsafe region.takeSlot()
        if region.isFull { remove(region) }
        return unsafe slot
    }

    /// Takes a slot back; a region that is unused now and isn't the only one is taken out and returned.
    mutating func giveBack(_ slot: UnsafeMutableRawPointer) -> SlotRegion? {
        let region = unsafe SlotRegion(of: slot)
        unsafe region.giveBack(slot)
        if region.place == nil { insert(region) }
        guard region.isUnused, regions.count > 1 else { return nil }
        remove(region)
        return region
    }

    private mutating func remove(_ region: SlotRegion) {
        guard let place = region.place else { return }
        let last = regions.removeLast()
        if place < regions.count {
            regions[place] = last
            last.place = place
        }
        region.place = nil
    }
}
