package import OperatorReplies

/// The step of changing a fleet's key that is safe now.
///
/// The new key goes behind the old one on all machines, then in front of it, and then the old one goes. So every drop
/// reaches the names under which another machine may have stored a token.
package enum KeyRotation: Equatable {
    /// The longest life of a token, and so of a value, in seconds.
    private static let longestLife = 86_400.0

    /// The engine is away, so nothing is known of the other machines.
    case unknown
    /// There is one key, and all machines have it.
    case single
    /// Not all machines have the key at this position of the file, counted from one.
    case missing(Int)
    /// All machines have all keys, and some seal with another one than this machine's first: they get the same order.
    case mixed
    /// All machines seal with the first key, and for this many more seconds values of the others may be left.
    case early(Double)
    /// All machines have sealed with the first key for a token's longest life, so the other keys can go. If the last key
    /// is the new one, it can be put in front.
    case settled

    /// Judges what the daemon knows.
    package init(_ fleet: StatsReply.Fleet) {
        let keys = fleet.keys
        guard fleet.isConnected, !keys.isEmpty, keys.allSatisfy({ $0.machines != nil && $0.sealing != nil }) else {
            self = .unknown
            return
        }
        if let index = keys.firstIndex(where: { ($0.machines ?? 0) < fleet.machines }) {
            self = .missing(index + 1)
        } else if keys.count == 1 {
            self = .single
        } else if (keys[0].sealing ?? 0) < fleet.machines {
            self = .mixed
        } else {
            let left = Self.longestLife - (fleet.settledFor ?? 0)
            self = left > 0 ? .early(left) : .settled
        }
    }

    /// True if all machines have all keys.
    package var isSafe: Bool {
        switch self {
        case .single, .mixed, .early, .settled: true
        case .unknown, .missing: false
        }
    }
}
