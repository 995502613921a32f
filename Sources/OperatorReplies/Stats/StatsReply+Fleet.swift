extension StatsReply {
    /// The daemon's share in a fleet: the connection to the engine, and what came of it since the daemon's start.
    package struct Fleet: Sendable, Equatable, Codable {
        /// True if the engine answers for every tenant.
        package var isConnected = false
        /// The time since which that holds by the wall clock, in RFC 3339's form.
        package var since: String?
        /// The number of tenants for which the engine doesn't answer.
        package var tenantsAway = 0
        /// The machines that were seen in the last minute, this one included.
        package var machines = 0
        /// The first characters of the identities of the engine's processes, of which a cluster has several.
        package var epochs: [String] = []
        /// The state of the circuit breaker of the calls to the engine.
        package var circuit = CircuitState()
        /// Tokens that the engine had, and that cost no call to a tenant.
        package var hits = 0
        /// Mints that were left to another machine, whose token came.
        package var leftToOthers = 0
        /// Drops that this machine has told the others of.
        package var dropsSent = 0
        /// Drops that other machines have told this one of.
        package var dropsReceived = 0
        /// Calls to the engine.
        package var calls = 0
        /// Calls to the engine that failed, by kind: `timeout`, `closed`, `denied`, `read_only`, `full`, `malformed`, and
        /// others.
        @ByName package var failed: [String: Int] = [:]
        /// Events that the engine has and this machine has not read.
        package var eventsBehind = 0
        /// The keys in the order of their lines.
        package var keys: [Key] = []
        /// The time in seconds since which all machines have sealed with this machine's first key, or nil if they don't.
        @Nullable package var settledFor: Double?

        /// Creates the state of a daemon that was never connected.
        package init() {}

        private enum CodingKeys: String, CodingKey {
            case isConnected = "connected"
            case since
            case tenantsAway = "tenants_away"
            case machines, epochs, circuit, hits
            case leftToOthers = "left_to_others"
            case dropsSent = "drops_sent"
            case dropsReceived = "drops_received"
            case calls, failed
            case eventsBehind = "events_behind"
            case keys
            case settledFor = "settled_for"
        }
    }
}

extension StatsReply.Fleet {
    /// One of the keys that seal and open what the engine stores.
    package struct Key: Sendable, Equatable, Codable {
        /// A name that is derived from the key and tells nothing about it.
        package var id: String
        /// The machines that have the key, or nil if that isn't known.
        package var machines: Int?
        /// The machines that seal with the key, or nil if that isn't known.
        package var sealing: Int?
        /// Values that were found under the names of this key and opened.
        package var opened = 0
        /// Values that were found under the names of this key and didn't open.
        package var notOpened = 0

        /// Creates a key that was not used yet.
        package init(id: String) { self.id = id }

        private enum CodingKeys: String, CodingKey {
            case id, machines, sealing, opened
            case notOpened = "not_opened"
        }
    }
}
