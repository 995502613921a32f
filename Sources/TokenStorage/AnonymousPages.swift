import Glibc

/// Pages that belong to no file.
///
/// Their tokens have no next daemon.
package final class AnonymousPages: PageSource {
    /// MADV_DONTNEED_LOCKED, which the C library may not know.
    private static let dontNeedLocked: CInt = 24

    /// Creates a source of pages.
    package init() {}

    package func map(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> MapOutcome {
        unsafe Self.map(at: address, count: count)
    }

    package func commit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool { true }

    package func decommit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool {
        unsafe Self.decommit(at: address, count: count)
    }

    /// Makes reserved addresses readable and writable memory.
    static func map(at address: UnsafeMutableRawPointer, count: Int) -> MapOutcome {
        unsafe mprotect(address, count, PROT_READ | PROT_WRITE) == 0 ? .mapped : .refused(.addresses)
    }

    /// Returns overwritten memory to the kernel.
    static func decommit(at address: UnsafeMutableRawPointer, count: Int) -> Bool {
        // Locked pages need a request of their own, which Linux has had since 5.18.
        unsafe madvise(address, count, MADV_DONTNEED) == 0 || madvise(address, count, dontNeedLocked) == 0
    }
}

@available(*, unavailable)
extension AnonymousPages: Sendable {}
