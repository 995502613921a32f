import DequeModule
import TokenCache

/// The leases that the engine has given to this machine for a tenant, so that none outlives its mint.
struct HeldLeases: Sendable {
    /// The number of leases at most whose giving back is tried again.
    static let mostLate = 256

    /// A lease that wasn't given back.
    struct Late: Sendable {
        let key: TokenKey
        let lease: FleetLease
        /// The time at which it has ended at the latest.
        let end: Instant
    }

    private var held: [UInt64: TokenKey] = [:]
    private var late = Deque<Late>()

    /// True if there is none, as far as is known.
    var isEmpty: Bool { held.isEmpty && late.isEmpty }

    /// Takes note that the engine has given a lease.
    mutating func take(_ nonce: UInt64, _ key: TokenKey) { held[nonce] = key }

    /// Takes note that a lease is another machine's, or nobody's.
    mutating func giveBack(_ nonce: UInt64) { held[nonce] = nil }

    /// Takes note that a lease couldn't be given back, which is tried again after a failure or a connection.
    mutating func fail(_ lease: Late) {
        held[lease.lease.nonce] = nil
        if late.count >= Self.mostLate { late.removeFirst() }
        late.append(lease)
    }

    /// Takes out the leases that couldn't be given back and haven't ended.
    mutating func takeLate(at now: Instant) -> [Late] {
        defer { late = [] }
        return late.filter { $0.end > now }
    }

    /// Takes out all leases, as no mint will end any more.
    mutating func takeAll(at now: Instant) -> [(key: TokenKey, lease: FleetLease)] {
        defer { held = [:] }
        return held.map { ($1, FleetLease(nonce: $0, fence: nil)) } + takeLate(at: now).map { ($0.key, $0.lease) }
    }
}
