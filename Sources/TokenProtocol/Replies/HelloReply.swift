package import OperatorReplies

/// The operations, tenants and clients that a peer may use.
package struct HelloReply: Sendable, Equatable {
    /// The daemon's version.
    package var version: String
    /// The operations on this socket.
    package var operations: [OperationName]
    /// The tenants' names.
    package var tenants: [String]
    /// The names of the tenants' further clients whose own tokens the peer may have.
    package var clients: [String]
    /// The state of the fleet, or nil if the daemon is in none.
    package var fleet: FleetSummary?

    /// Creates a reply.
    package init(
        version: String,
        operations: [OperationName],
        tenants: [String],
        clients: [String] = [],
        fleet: FleetSummary? = nil
    ) {
        self.version = version
        self.operations = operations
        self.tenants = tenants
        self.clients = clients
        self.fleet = fleet
    }
}
