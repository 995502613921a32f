import Secrets
import TokenProtocol

/// The part of a mint that concerns the second level.
struct FleetMint {
    /// The least time left that a waiting caller demands, or nil if none has a preference of its own.
    var minTTL: Duration?
    /// The least time left of a token that is looked for.
    ///
    /// It grows when a token that was found had too little.
    var minLeft = TokenLife.minServed
    /// The fence that a token must be above, or nil for any.
    ///
    /// The highest possible fence stands for the time of the first look.
    var newerThan: FleetFence?
    /// A token that was reported as rejected while it was looked up, or nil if none was.
    var rejected: Fingerprint?
    /// True if the tenant's denials that other machines have told of don't count.
    var ignoresRefusal = false
    /// True if there is a cached token that a lost event may concern.
    var verifies = false
    /// The highest fence that was known when it was queued, looked up or sent.
    ///
    /// Drops with a lower one are older than what comes of it.
    var asked = FleetFence.none
    /// Its lease, or the name of one that may have been taken.
    var lease: FleetLease?
    /// The timer of the next extension of its lease.
    var renewal: IndexedHeap<Instant, FleetTimer>.Handle?
    /// The time up to which it waits for another machine, if it does.
    var yieldsUntil: Instant?
    /// The time since which it has waited for other machines, or nil if it has not.
    var yieldsSince: Instant?

    /// The fence of the token that it mints.
    var fence: FleetFence { lease?.fence ?? asked }

    /// Notes what a caller demands.
    mutating func require(_ options: RequestOptions) {
        guard let demanded = options.minTTL else { return }
        minTTL = max(minTTL ?? demanded, demanded)
    }
}
