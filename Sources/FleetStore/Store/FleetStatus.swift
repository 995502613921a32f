package import TokenCache

/// The state of the second level, for operators.
package struct FleetStatus: Sendable, Equatable {
    /// A failure.
    package struct Fault: Sendable, Equatable {
        /// Its kind.
        package var kind: EngineFault
        /// The engine's or the system's words, which are not safe for a terminal.
        package var detail: String

        /// Creates a failure.
        package init(kind: EngineFault, detail: String) { (self.kind, self.detail) = (kind, detail) }
    }

    /// A tenant's connection.
    package struct Tenant: Sendable, Equatable {
        /// True if orders are performed and events arrive.
        package var isConnected: Bool
        /// The time of the last change of that.
        package var since: Instant
        /// The engine's process and its term as a primary, while there is a connection.
        package var epoch: String?
        /// The events that have not been read yet, as far as is known.
        package var eventsBehind: Int64

        /// Creates a state.
        package init(isConnected: Bool, since: Instant, epoch: String?, eventsBehind: Int64) {
            self.isConnected = isConnected
            self.since = since
            self.epoch = epoch
            self.eventsBehind = eventsBehind
        }
    }

    /// A key that seals and opens.
    package struct Key: Sendable, Equatable {
        /// Its short name.
        package var id: String
        /// The machines that have it, or 0 if none was seen yet.
        package var machines: Int
        /// The machines that seal with it.
        package var sealing: Int
        /// The values that were found under its names and opened, since the last change of keys.
        package var opened: Int
        /// The values that were found under its names and didn't open.
        package var notOpened: Int
    }

    /// The tenants.
    package var tenants: [TenantID: Tenant] = [:]
    /// The name and version of the engine, or of one of its nodes.
    package var version: String?
    /// The machines that were seen in the last minute, or 0 if that isn't known yet.
    package var machines = 0
    /// True if the engine, or a node of it, is not asked for a while because it fails.
    package var isCircuitOpen = false
    /// The times that this has begun.
    package var circuitOpenings = 0
    /// The calls that were sent.
    package var calls = 0
    /// The calls and connections that failed, by kind.
    package var failed: [EngineFault: Int] = [:]
    /// The keys in the order of their lines.
    package var keys: [Key] = []
    /// The time since which all machines have sealed with this machine's first key, or nil if they don't.
    package var settledSince: Instant?
    /// The events of other machines that didn't open.
    package var eventsNotOpened = 0
    /// The last failure.
    package var lastFault: Fault?

    /// Creates the state before anything has happened.
    package init() {}

    /// True if there is a tenant, and all are connected.
    package var isConnected: Bool { !tenants.isEmpty && tenants.values.allSatisfy(\.isConnected) }
    /// The tenants without a connection.
    package var tenantsAway: Int { tenants.values.count { !$0.isConnected } }
    /// The time of the last change of a tenant's connection.
    package var since: Instant? { tenants.values.map(\.since).max() }
    /// The events that have not been read yet.
    package var eventsBehind: Int64 {
        tenants.values.reduce(0) { sum, tenant in
            let (sum, isTooLarge) = sum.addingReportingOverflow(tenant.eventsBehind)
            return isTooLarge ? .max : sum
        }
    }
    /// The engine's processes.
    package var epochs: Set<String> { Set(tenants.values.compactMap(\.epoch)) }
}
