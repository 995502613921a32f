import FleetProtocol
import Secrets

/// The commands with which a connection begins, and what their answers mean.
///
/// All are sent at once.
struct EngineHandshake {
    /// The purpose of a command.
    enum Step: Equatable {
        /// Present the user and the password.
        case authenticate
        /// Choose the database.
        case select
        /// Name the connection for operators. Not being allowed to is no fault.
        case name
        /// Read the first part of the engine's identity.
        case identify
        /// Read the rest of it, and whether the engine is a primary.
        case confirm
        /// Write something, which a replica and a full engine refuse.
        case write
        /// Read the map of the cluster.
        case map
    }

    /// The outcome.
    struct Result: Equatable {
        /// The identity of the engine's process.
        var identity: EngineIdentity
        /// The engine's name and version, such as `redis 7.0.15`, or nil if it doesn't tell them.
        var version: String?
        /// The map of the cluster.
        var map: [ClusterRoutes.Range]?
    }

    /// A failed handshake.
    struct Failure: Error, Equatable {
        var fault: EngineFault
        /// The engine's words.
        var detail: String
    }

    /// The name of the connections in the engine's list of clients.
    static let clientName = "tokencached"
    /// The sentence for operators about an engine that isn't a primary.
    static let replica = "the engine is a replica"
    /// The characters of a version at most.
    private static let longestVersion = 40
    /// The life of what the test of writing leaves.
    private static let probeLife = Duration.seconds(60)

    /// The commands.
    let commands: [EngineCommand]
    private let steps: [Step]
    private let address: EngineAddress
    private let isCluster: Bool
    private var answered = 0
    private var server: RespValue?
    private var identity: EngineIdentity?
    private var version: String?
    private var map: [ClusterRoutes.Range]?

    /// Creates the handshake.
    ///
    /// - Parameter probe: The name of the key for the test of writing, or nil for a connection that only reads.
    init(_ settings: FleetSettings, at address: EngineAddress, probe: String?) {
        (self.address, isCluster) = (address, settings.isCluster)
        var steps: [(Step, EngineCommand)] = []
        if let password = settings.password {
            var command = EngineCommand("AUTH")
            if let user = settings.username { command.append(user) }
            command.append(unsafe password.bytes.withUnsafeBytes { unsafe [UInt8]($0) })
            steps.append((.authenticate, command))
        }
        if settings.url.database != 0 { steps.append((.select, EngineCommand("SELECT", "\(settings.url.database)"))) }
        steps.append((.name, EngineCommand("CLIENT", "SETNAME", Self.clientName)))
        steps += zip([.identify, .confirm], EngineIdentity.commands)
        if let probe {
            let life = "\(Self.probeLife.milliseconds)"
            steps.append((.write, EngineCommand("SET", probe, "1", "PX", life)))
            if settings.isCluster { steps.append((.map, EngineCommand("CLUSTER", "SLOTS"))) }
        }
        (self.steps, commands) = (steps.map(\.0), steps.map(\.1))
    }

    /// Takes the next answer, and returns the outcome with the last one.
    mutating func answer(_ value: RespValue) throws(Failure) -> Result? {
        guard answered < steps.count else { throw Failure(fault: .malformed, detail: "an answer to no command") }
        let step = steps[answered]
        answered += 1
        if case .error(let text) = value {
            try refused(step, text)
        } else {
            try accepted(step, value)
        }
        guard answered == steps.count else { return nil }
        guard let identity else { throw Failure(fault: .malformed, detail: "no identity in the answers to INFO") }
        return Result(identity: identity, version: version, map: map)
    }

    private func refused(_ step: Step, _ text: String) throws(Failure) {
        switch step {
        case .name: break
        // The key may belong to another node of the cluster.
        case .write where text.hasPrefix("MOVED ") || text.hasPrefix("ASK ") || text.hasPrefix("TRYAGAIN"): break
        case .authenticate: throw Failure(fault: .forbidden, detail: text)
        case .select, .identify, .confirm, .write, .map: throw Failure(fault: EngineFault(error: text), detail: text)
        }
    }

    private mutating func confirm(_ replication: RespValue) throws(Failure) {
        guard let identity = server.flatMap({ EngineIdentity(server: $0, replication: replication) }) else { return }
        // A replica in a cluster refers to its primary, and tells the map.
        guard identity.isPrimary || isCluster else { throw Failure(fault: .readOnly, detail: Self.replica) }
        self.identity = identity
    }

    private mutating func accepted(_ step: Step, _ value: RespValue) throws(Failure) {
        switch step {
        case .authenticate, .select, .name, .write: break
        case .identify: (server, version) = (value, Self.version(of: value))
        case .confirm: try confirm(value)
        case .map:
            guard let ranges = ClusterRoutes.ranges(of: value, askedAt: address) else {
                throw Failure(fault: .malformed, detail: "no map of the cluster")
            }
            map = ranges
        }
    }

    /// The name and the version in the answer to `INFO server`.
    ///
    /// Valkey also tells the version of Redis that it equals.
    private static func version(of value: RespValue) -> String? {
        let lines = value.text?.split(whereSeparator: \.isNewline) ?? []
        for name in ["valkey", "redis"] {
            let start = "\(name)_version:"
            guard let line = lines.first(where: { $0.hasPrefix(start) }) else { continue }
            return "\(name) \(line.dropFirst(start.count).prefix(Self.longestVersion))"
        }
        return nil
    }
}
