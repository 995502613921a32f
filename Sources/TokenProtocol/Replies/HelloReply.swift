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

    /// Creates a reply.
    package init(version: String, operations: [OperationName], tenants: [String], clients: [String] = []) {
        self.version = version
        self.operations = operations
        self.tenants = tenants
        self.clients = clients
    }
}
