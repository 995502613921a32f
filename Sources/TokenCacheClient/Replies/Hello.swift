extension TokenCacheClient {
    /// The daemon's version, and what this process may ask it for.
    public struct Hello: Sendable, Hashable {
        /// The program's name, `tokencached`.
        public let server: String
        /// The program's version, such as `0.1.0`.
        public let version: String
        /// The version of the protocol.
        ///
        /// It is raised when an existing meaning changes.
        public let protocolVersion: Int
        /// The names of the operations that this process may use on this socket.
        public let operations: [String]
        /// The names of the tenants for which this process may get tokens.
        public let tenants: [String]
        /// The longest line that the daemon accepts, in bytes.
        public let maxLineLength: Int

        /// Creates a description of a daemon, for a test double of the client.
        ///
        /// - Parameters:
        ///   - server: The program's name.
        ///   - version: The program's version.
        ///   - protocolVersion: The version of the protocol.
        ///   - operations: The operations that this process may use.
        ///   - tenants: The tenants for which this process may get tokens.
        ///   - maxLineLength: The longest line in bytes.
        public init(
            server: String,
            version: String,
            protocolVersion: Int,
            operations: [String],
            tenants: [String],
            maxLineLength: Int
        ) {
            self.server = server
            self.version = version
            self.protocolVersion = protocolVersion
            self.operations = operations
            self.tenants = tenants
            self.maxLineLength = maxLineLength
        }
    }
}

extension TokenCacheClient.Hello: Decodable, OperationReply {
    private enum CodingKeys: String, CodingKey {
        case server
        case version
        case protocolVersion = "protocol"
        case operations = "ops"
        case tenants
        case maxLineLength = "max_line"
    }
}
