/// The state of the connection to the engine that the machines of a fleet share, as `hello` tells it.
package struct FleetSummary: Sendable, Equatable, Codable {
    /// True if the engine answers for every tenant.
    package var isConnected: Bool
    /// The time since which that holds by the wall clock, in RFC 3339's form.
    package var since: String?
    /// The machines that were seen in the last minute, this one included.
    package var machines: Int

    /// Creates a state.
    package init(isConnected: Bool, since: String? = nil, machines: Int) {
        self.isConnected = isConnected
        self.since = since
        self.machines = machines
    }

    private enum CodingKeys: String, CodingKey {
        case isConnected = "connected"
        case since, machines
    }
}

extension StatsReply.Fleet {
    /// The part that `hello` tells.
    package var summary: FleetSummary { FleetSummary(isConnected: isConnected, since: since, machines: machines) }
}
