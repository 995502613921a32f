import CLinux
import Glibc
import Secrets

/// A range of addresses that is reserved once, and into which memory is mapped from its start on as it is needed.
///
/// So no address ever changes. The parts are adjacent, so the kernel merges them into one mapping.
@safe final class AddressRange {
    /// The size that is mapped at once in bytes.
    ///
    /// Each part counts against the limit of locked memory (`RLIMIT_MEMLOCK`).
    static let part = 1_048_576
    /// The size of the range that all record IDs can reach, in bytes.
    static let largest = 1 << 36

    /// The start of the range.
    let start: UnsafeMutableRawPointer
    /// The number of bytes that can be mapped at most.
    private(set) var capacity: Int
    /// The number of mapped bytes, from the start.
    private(set) var mapped = 0
    /// True if all mapped memory is locked.
    private(set) var isLocked = true
    /// The reason of the last refusal.
    private(set) var refusal = MapRefusal.addresses
    private let pages: any PageSource
    private let onShortage: (SecretMemory.Shortage) -> Void

    /// Reserves addresses, or returns nil if the process can't have any.
    ///
    /// - Parameters:
    ///   - size: The number of bytes to reserve at most, a multiple of ``part``. It is halved while that is refused.
    ///   - limit: The limit of the process's addresses, of which half is left for the heap, or nil if there is none.
    ///   - pages: The source of the memory.
    ///   - onShortage: Called the first time that memory can't be locked.
    init?(
        size: Int = largest,
        limit: Int? = AddressRange.limit,
        pages: any PageSource,
        onShortage: @escaping (SecretMemory.Shortage) -> Void = { _ in }
    ) {
        var size = limit.map { min(size, max(Self.part, $0 / 2 / Self.part * Self.part)) } ?? size
        while true {
            let start = unsafe mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
            if let start = unsafe start, unsafe start != MAP_FAILED {
                unsafe self.start = start
                break
            }
            guard size > Self.part else { return nil }
            size = size / 2 / Self.part * Self.part
        }
        capacity = size
        self.pages = pages
        self.onShortage = onShortage
    }

    /// The limit of the process's addresses (`RLIMIT_AS`), or nil if there is none.
    static var limit: Int? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != .max else {
            return nil
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// Maps the next part, or returns false if there is none.
    func grow() -> Bool { map(Self.part) }

    /// Maps all parts up to a size, or throws the reason for which that is refused.
    ///
    /// A step needs no more addresses than the growth of an earlier daemon had as headroom (``MemoryFile/grow``).
    func map(upTo size: Int) throws(MapRefusal) {
        let step = max(Self.part, size / 16 / Self.part * Self.part)
        while mapped < size {
            guard map(min(step, size - mapped)) else { throw refusal }
        }
    }

    private func map(_ count: Int) -> Bool {
        guard count <= capacity - mapped else {
            refusal = .addresses
            return false
        }
        let address = unsafe start + mapped
        switch unsafe pages.map(at: address, offset: mapped, count: count) {
        case .mapped: break
        case .refused(let reason):
            refusal = reason
            return false
        case .lost:
            capacity = mapped
            return false
        }
        _ = unsafe madvise(address, count, CInt(MADV_DONTDUMP))
        _ = unsafe madvise(address, count, CInt(MADV_DONTFORK))
        let offset = mapped
        mapped += count
        // To lock a secret file fails, as its pages can't be looked at, and is not needed.
        if !pages.isLocked(at: offset), unsafe lock_on_fault(address, count) != 0 { lockParts(from: offset) }
        return true
    }

    /// Locks as many parts as the limit allows, and reports that it doesn't allow all.
    private func lockParts(from offset: Int) {
        for part in stride(from: offset, to: mapped, by: Self.part) {
            guard unsafe lock_on_fault(start + part, Self.part) == 0 else { return reportShortage() }
        }
    }

    private func reportShortage() {
        guard isLocked else { return }
        isLocked = false
        onShortage(SecretMemory.Shortage(size: mapped, limit: SecretMemory.limit))
    }

    /// Takes mapped memory into use, or returns false if there is none.
    func commit(_ range: Range<Int>) -> Bool {
        unsafe pages.commit(at: start + range.lowerBound, offset: range.lowerBound, count: range.count)
    }

    /// Returns overwritten memory, or returns false if it stays in use.
    func decommit(_ range: Range<Int>) -> Bool {
        unsafe pages.decommit(at: start + range.lowerBound, offset: range.lowerBound, count: range.count)
    }

    deinit { _ = unsafe munmap(start, capacity) }
}

@available(*, unavailable)
extension AddressRange: Sendable {}
