import Glibc

/// Pages that belong to no file, for tests and tools, whose tokens have no next daemon.
package final class AnonymousPages: PageSource {
    /// MADV_DONTNEED_LOCKED, which the C library may not know.
    private static let dontNeedLocked: CInt = 24

    /// Creates a source of pages.
    package init() {}

    package func map(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> MapOutcome {
        unsafe mprotect(address, count, PROT_READ | PROT_WRITE) == 0 ? .mapped : .refused
    }

    package func commit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool { true }

    package func decommit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool {
        // Locked pages need a request of their own, which Linux has had since 5.18.
        unsafe madvise(address, count, MADV_DONTNEED) == 0 || madvise(address, count, Self.dontNeedLocked) == 0
    }
}

@available(*, unavailable)
extension AnonymousPages: Sendable {}
