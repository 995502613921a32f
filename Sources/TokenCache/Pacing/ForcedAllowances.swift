import TokenProtocol

/// The allowances of forced mints that the peers of one tenant have, each its own.
struct ForcedAllowances {
    private var buckets: [PeerUID: TokenBucket] = [:]

    /// Returns the time until which a peer's allowance is empty, or nil if it isn't.
    func time(for peer: PeerUID, within limits: TenantPolicy, now: Instant) -> Instant? {
        let bucket = bucket(of: peer, limits, now)
        return bucket.hasOne(at: now) ? nil : bucket.time(of: 1, from: now)
    }

    /// Takes a forced mint from a peer's allowance.
    mutating func take(for peer: PeerUID, within limits: TenantPolicy, now: Instant) {
        var bucket = bucket(of: peer, limits, now)
        bucket.take(at: now)
        if buckets.count >= GovernorConstants.maxAllowances { buckets = buckets.filter { !$0.value.isFull(at: now) } }
        buckets[peer] = bucket
    }

    private func bucket(of peer: PeerUID, _ limits: TenantPolicy, _ now: Instant) -> TokenBucket {
        buckets[peer]
            ?? TokenBucket(
                perMinute: GovernorConstants.forcedShare * Double(limits.ratePerMinute),
                burst: max(1, GovernorConstants.forcedShare * Double(limits.burst)),
                now: now
            )
    }
}
