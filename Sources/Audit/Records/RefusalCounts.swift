import TokenCache
import TokenProtocol

/// Counts refusals that are like one that has been recorded: a peer without rights can ask ten thousand times a second.
struct RefusalCounts {
    /// The fields in which two refusals are alike.
    struct Kind: Hashable {
        let uid: PeerUID?
        let operation: OperationName
        let reason: String
    }

    /// The most kinds that are told apart: each is a user of the machine, an operation and a reason.
    private static let mostKinds = 1_024

    private var counts: [Kind: Int] = [:]
    private var others = 0

    /// Counts a refusal, and returns true if it is the first of its kind and so to be recorded whole.
    mutating func isFirst(_ kind: Kind) -> Bool {
        if let count = counts[kind] {
            counts[kind] = count + 1
            return false
        }
        guard counts.count < Self.mostKinds else {
            others += 1
            return false
        }
        counts[kind] = 0
        return true
    }

    /// Returns the counts since the last call, and resets them.
    ///
    /// A kind that had none is forgotten, so that its next refusal is a first one again.
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
