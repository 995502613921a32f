/// The operations and tenants that a peer may use.
package struct HelloReply: Sendable, Equatable {
    /// The daemon's version.
    package var version: String
    /// The operations on this socket.
    package var operations: [OperationName]
    /// The tenants' names.
    package var tenants: [String]

    /// Creates a reply.
    package init(version: String, operations: [OperationName], tenants: [String]) {
        self.version = version
        self.operations = operations
        self.tenants = tenants
    }
}
