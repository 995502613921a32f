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
        /// The names of the tenants' further clients whose own tokens this process may have.
        public let clients: [String]
        /// The state of the daemon's fleet, or nil if it is in none.
        public let fleet: Fleet?
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
        ///   - clients: The clients whose own tokens this process may have.
        ///   - fleet: The state of the fleet.
        ///   - maxLineLength: The longest line in bytes.
        public init(
            server: String,
            version: String,
            protocolVersion: Int,
            operations: [String],
            tenants: [String],
            clients: [String] = [],
            fleet: Fleet? = nil,
            maxLineLength: Int
        ) {
            self.server = server
            self.version = version
            self.protocolVersion = protocolVersion
            self.operations = operations
            self.tenants = tenants
            self.clients = clients
            self.fleet = fleet
            self.maxLineLength = maxLineLength
        }
    }
}

extension TokenCacheClient.Hello: Decodable, OperationReply {
    /// Decodes a reply to `hello`.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        server = try members.decode(String.self, forKey: .server)
        version = try members.decode(String.self, forKey: .version)
        protocolVersion = try members.decode(Int.self, forKey: .protocolVersion)
        operations = try members.decode([String].self, forKey: .operations)
        tenants = try members.decode([String].self, forKey: .tenants)
        clients = try members.contains(.clients) ? members.decode([String].self, forKey: .clients) : []
        fleet = try members.decodeIfPresent(Fleet.self, forKey: .fleet)
        maxLineLength = try members.decode(Int.self, forKey: .maxLineLength)
    }

    private enum CodingKeys: String, CodingKey {
        case server
        case version
        case protocolVersion = "protocol"
        case operations = "ops"
        case tenants
        case clients
        case fleet
        case maxLineLength = "max_line"
    }
}

extension TokenCacheClient.Hello {
    /// The state of the connection to the engine that the daemons of several machines share.
    public struct Fleet: Sendable, Hashable, Decodable {
        /// True if the engine answers.
        public let isConnected: Bool
        /// The time since which that holds, in RFC 3339's form.
        public let since: String?
        /// The machines that were seen in the last minute, the daemon's own included.
        public let machines: Int

        /// Creates a state, for a test double of the client.
        public init(isConnected: Bool, since: String? = nil, machines: Int) {
            self.isConnected = isConnected
            self.since = since
            self.machines = machines
        }

        private enum CodingKeys: String, CodingKey {
            case isConnected = "connected"
            case since
            case machines
        }
    }
}
