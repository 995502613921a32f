import TokenStorage

/// Pages of which the kernel has none left while a test wants it.
final class ScarcePages: PageSource {
    private let pages = AnonymousPages()
    var isUsedUp = false

    func map(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> MapOutcome {
        isUsedUp ? .refused(.addresses) : unsafe pages.map(at: address, offset: offset, count: count)
    }

    func isLocked(at offset: Int) -> Bool { false }

    func commit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool {
        unsafe !isUsedUp && pages.commit(at: address, offset: offset, count: count)
    }

    func decommit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool {
        unsafe pages.decommit(at: address, offset: offset, count: count)
    }
}

@available(*, unavailable)
extension ScarcePages: Sendable {}
