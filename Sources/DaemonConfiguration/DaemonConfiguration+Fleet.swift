/// The section `fleet`.
extension DaemonConfiguration {
    /// The engine that the daemons of several machines share, and what this daemon needs for it.
    package struct Fleet: Sendable, Equatable {
        /// The address of the engine, or of any node of a cluster.
        package var engine: EngineAddress
        /// True if the engine is a cluster, whose redirections are followed.
        package var isCluster = false
        /// True if plain TCP to another machine is allowed, also after a cluster's redirection.
        package var allowsPlain = false
        /// The user of the engine, or nil for its default user.
        package var username: String?
        /// The source of the password, or nil for none.
        package var password: SecretSource?
        /// A file of further certificate authorities.
        package var caFile: String?
        /// The source of the keys, one a line.
        ///
        /// The first seals, and all open.
        package var key: SecretSource
        /// The text at the beginning of every key name in the engine.
        package var prefix = "tokencached"
        /// The time for one call to the engine.
        package var timeout = Duration.milliseconds(100)
        /// The lines of the files that are named here.
        package var lines = FleetLines()
    }

    /// The address of an engine.
    package enum EngineAddress: Sendable, Equatable {
        /// A Unix socket.
        case unix(path: String, database: Int)
        /// A host, which is a name or an address without brackets.
        case tcp(host: String, port: Int, usesTLS: Bool, database: Int)

        /// True if the connection is encrypted.
        package var usesTLS: Bool {
            if case .tcp(_, _, let usesTLS, _) = self { usesTLS } else { false }
        }

        /// The number of the database.
        package var database: Int {
            switch self {
            case .unix(_, let database), .tcp(_, _, _, let database): database
            }
        }
    }

    /// The lines at which a fleet's files are named, for faults that are found when they are read.
    package struct FleetLines: Sendable, Equatable {
        package var password: Int?
        package var key: Int?
        package var caFile: Int?

        /// Creates lines that are all unknown.
        package init() {}
    }
}
