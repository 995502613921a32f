@testable import TokenStorage

/// Anonymous pages of which the kernel gives no more than a test wants.
final class RefusingPages: PageSource {
    private let pages = AnonymousPages()
    /// The number of parts that may be mapped.
    var parts = Int.max
    /// The number of times that memory may be taken into use.
    var commits = Int.max
    /// The outcome of a refused mapping.
    var refusal = MapOutcome.refused(.addresses)

    func map(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> MapOutcome {
        guard parts > 0 else { return refusal }
        parts -= 1
        return unsafe pages.map(at: address, offset: offset, count: count)
    }

    func commit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool {
        guard commits > 0 else { return false }
        commits -= 1
        return unsafe pages.commit(at: address, offset: offset, count: count)
    }

    func decommit(at address: UnsafeMutableRawPointer, offset: Int, count: Int) -> Bool {
        unsafe pages.decommit(at: address, offset: offset, count: count)
    }
}

@available(*, unavailable)
extension RefusingPages: Sendable {}
