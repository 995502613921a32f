import TokenCache
import TokenProtocol

/// Counts refusals that are like one that is on record already: a peer without rights can ask ten thousand times a second.
struct RefusalCounts {
    /// The members in which two refusals are alike.
    struct Kind: Hashable {
        let uid: PeerUID?
        let operation: OperationName
        let reason: String
    }

    /// More kinds are not told apart: each is a user of the machine, an operation and a reason.
    private static let mostKinds = 1_024

    private var counts: [Kind: Int] = [:]
    private var others = 0

    /// Notes one; whether it is the first of its kind, and so to be recorded whole.
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

    /// Takes the counts since this was last called; a kind that had none is forgotten, so that its next one is a first.
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
