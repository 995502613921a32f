/// The cache's counters.
struct ModelCounters: Equatable {
    var hits = 0
    var misses = 0
    var coalesced = 0
    var negatives = 0
    var started = 0
    var succeeded = 0
    var failed: [String: Int] = [:]
    var refreshesDue = 0
    var refreshesDone = 0
    var refreshesLate = 0
    var evictions: [String: Int] = [
        "expired": 0, "capacity": 0, "invalidated": 0, "revoked": 0, "evicted": 0, "flushed": 0,
    ]
}
