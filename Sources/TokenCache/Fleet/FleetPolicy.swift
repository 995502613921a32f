/// The use of the second level, which the machines of a fleet share.
package struct FleetPolicy: Sendable, Equatable {
    /// The machines among which the tenants' limits are divided while the second level doesn't answer, until they are
    /// counted.
    package var machines: Int

    /// Creates a policy.
    package init(machines: Int = 1) { self.machines = max(1, machines) }
}

extension TenantPolicy {
    /// The time by which a lease outlasts the call that it is for.
    private static let leaseMargin = Duration.seconds(2)

    /// The length of the lease of a mint, which lasts longer than the call that mints.
    package var leaseLength: Duration { timeout + Self.leaseMargin }
}
