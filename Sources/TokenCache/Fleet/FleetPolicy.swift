/// The use of the second level, which the machines of a fleet share.
package struct FleetPolicy: Sendable, Equatable {
    /// The machines among which the tenants' limits are divided while the second level doesn't answer, until they are
    /// counted.
    package var machines: Int

    /// Creates a policy.
    package init(machines: Int = 1) { self.machines = max(1, machines) }
}

extension TenantPolicy {
    /// The time by which a lease outlasts a short call.
    private static let leaseMargin = Duration.seconds(2)
    /// The maximum length of a lease.
    ///
    /// It is extended at each third while the call lasts. If the machine is gone, others wait so long, which has to be less
    /// than the time that a caller waits by default.
    private static let maxLease = Duration.seconds(4)

    /// The length of the lease of a mint.
    package var leaseLength: Duration { min(timeout + Self.leaseMargin, Self.maxLease) }
}
