import Glibc
import Synchronization

/// Memory only for secrets: locked, so that it is never swapped, and left out of core dumps.
///
/// The C library's heap mixes secrets with everything else, and only whole pages can be locked. So secrets get regions
/// of their own, each divided into slots of one size. A region without secrets is returned to the kernel. If no more
/// memory can be locked, secrets get unlocked memory, and a closure is told. It can be used from any thread.
@safe package final class SecretMemory: Sendable {
    /// A failure to lock memory.
    package struct Shortage: Sendable, Equatable {
        /// The number of bytes in use for secrets.
        package var size: Int
        /// The limit of locked bytes (`RLIMIT_MEMLOCK`), or nil if there is none.
        package var limit: Int?

        /// Creates a shortage.
        package init(size: Int, limit: Int?) { (self.size, self.limit) = (size, limit) }
    }

    private struct State {
        /// The regions with free slots, by slot size.
        var open: [Int: SlotRegions] = [:]
        /// The size of all regions in bytes.
        var size = 0
        var isShort = false
    }

    private let state = Mutex(State())
    private let onShortage: @Sendable (Shortage) -> Void
    private let map: SecretPages.Mapper

    /// Creates a source of memory that has allocated nothing yet.
    ///
    /// - Parameter onShortage: Called the first time that memory can't be locked. It must not block.
    package convenience init(onShortage: @escaping @Sendable (Shortage) -> Void = { _ in }) {
        unsafe self.init(onShortage: onShortage, map: SecretPages.map)
    }

    /// Creates a source of memory that has allocated nothing yet, with its own mapper of pages.
    package init(onShortage: @escaping @Sendable (Shortage) -> Void = { _ in }, map: @escaping SecretPages.Mapper) {
        self.onShortage = onShortage
        unsafe self.map = map
        Self.raiseLimit()
    }

    /// The number of bytes from the kernel.
    package var size: Int { state.withLock { $0.size } }

    /// Allocates zeroed memory for a secret, or returns nil if the kernel has none left.
    func allocate(_ count: Int) -> UnsafeMutableRawBufferPointer? {
        guard let slotSize = SlotRegion.slotSize(for: count) else { return unsafe allocatePages(count) }
        let (slot, shortage): (Slot?, Shortage?) = state.withLock { state in
            var regions = state.open.removeValue(forKey: slotSize) ?? SlotRegions()
            defer { state.open[slotSize] = regions }
            var shortage: Shortage?
            if regions.isEmpty {
                guard let region = unsafe SlotRegion.map(slotSize: slotSize, map) else { return (nil, nil) }
                shortage = unsafe lock(region.start, SlotRegion.size, &state)
                regions.insert(region)
            }
            return (unsafe Slot(start: regions.takeSlot()), shortage)
        }
        report(shortage)
        return unsafe slot.map { unsafe UnsafeMutableRawBufferPointer(start: $0.start, count: count) }
    }

    private func allocatePages(_ count: Int) -> UnsafeMutableRawBufferPointer? {
        let length = SecretPages.rounded(count)
        guard let start = unsafe map(length) else { return nil }
        let pages = unsafe Slot(start: start)
        report(state.withLock { unsafe lock(pages.start, length, &$0) })
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    /// Overwrites a secret and frees its memory.
    func deallocate(_ memory: UnsafeMutableRawBufferPointer) {
        guard let start = memory.baseAddress else { return }
        unsafe explicit_bzero(start, memory.count)
        let slot = unsafe Slot(start: start)
        guard let slotSize = SlotRegion.slotSize(for: memory.count) else {
            let length = SecretPages.rounded(memory.count)
            state.withLock { $0.size -= length }
            return unsafe SecretPages.unmap(slot.start, length)
        }
        state.withLock { state in
            var regions = state.open.removeValue(forKey: slotSize) ?? SlotRegions()
            if let unused = unsafe regions.release(slot.start) {
                state.size -= SlotRegion.size
                unsafe SecretPages.unmap(unused.start, SlotRegion.size)
            }
            state.open[slotSize] = regions
        }
    }

    /// The address of memory for one secret.
    // `@unchecked Sendable`, because a pointer is not Sendable. It is sound: it only carries an address that nobody else
    // has into or out of the lock, and doesn't outlive the call.
    @safe private struct Slot: @unchecked Sendable {
        let start: UnsafeMutableRawPointer
    }

    // MARK: Locking

    private func lock(_ start: UnsafeMutableRawPointer, _ length: Int, _ state: inout State) -> Shortage? {
        state.size += length
        guard unsafe mlock(start, length) != 0, !state.isShort else { return nil }
        state.isShort = true
        return Shortage(size: state.size, limit: Self.limit)
    }

    private func report(_ shortage: Shortage?) {
        if let shortage { onShortage(shortage) }
    }

    private static var resource: __rlimit_resource_t { __rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue) }

    /// The limit of locked bytes (`RLIMIT_MEMLOCK`), or nil if there is none.
    package static var limit: Int? {
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur != rlim_t.max else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    /// Raises the limit of locked memory as far as the process may.
    private static func raiseLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(resource, &limit)
    }
}
