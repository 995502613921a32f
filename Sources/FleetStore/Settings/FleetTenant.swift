package import TokenCache

/// A tenant, as far as the second level has to know it.
package struct FleetTenant: Sendable, Equatable {
    /// The host and the client, by which all machines name the tenant.
    package var identity: TenantPolicy.Identity
    /// The calls per minute of all machines together.
    package var ratePerMinute: Int
    /// The calls that all machines together may send at once after a quiet time.
    package var burst: Int
    /// The length of a lease, longer than a call to the tenant takes.
    package var lease: Duration
    /// The last event that an earlier daemon has taken note of, or nil for a fresh start.
    package var place: FleetPlace?

    /// Creates a tenant.
    package init(
        identity: TenantPolicy.Identity,
        ratePerMinute: Int,
        burst: Int,
        lease: Duration,
        place: FleetPlace? = nil
    ) {
        self.identity = identity
        self.ratePerMinute = ratePerMinute
        self.burst = burst
        self.lease = lease
        self.place = place
    }
}
