import TokenCache
import TokenProtocol

/// Counts forbidden requests that are like one that was recorded.
///
/// A peer without permissions can send ten thousand a second.
struct ForbiddenRequestCounts {
    /// The fields in which like requests agree.
    struct Kind: Hashable {
        let uid: PeerUID?
        let operation: OperationName
        let reason: String
    }

    /// The most kinds that are told apart: each is a user of the machine, an operation and a reason.
    private static let maxKinds = 1_024

    private var counts: [Kind: Int] = [:]
    private var others = 0

    /// Adds a request, and returns true if it is the first of its kind, which is recorded whole.
    mutating func add(_ kind: Kind) -> Bool {
        if let count = counts[kind] {
            counts[kind] = count + 1
            return false
        }
        guard counts.count < Self.maxKinds else {
            others += 1
            return false
        }
        counts[kind] = 0
        return true
    }

    /// Returns the counts since the last call, and resets them.
    ///
    /// A kind without requests since then is forgotten, so that its next request is recorded whole.
    mutating func take() -> (kinds: [(kind: Kind, count: Int)], others: Int) {
        let taken = counts.filter { $0.value > 0 }
        counts = taken.mapValues { _ in 0 }
        defer { others = 0 }
        let order = taken.sorted { left, right in
            (left.key.uid ?? 0, left.key.operation.rawValue, left.key.reason)
                < (right.key.uid ?? 0, right.key.operation.rawValue, right.key.reason)
        }
        return (order.map { ($0.key, $0.value) }, others)
    }
}
