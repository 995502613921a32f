import FleetProtocol

/// The identity of an engine's process during one term as a primary.
///
/// A process that is demoted, reads the data of its successor and is promoted again keeps its `run_id`, although the
/// successor may have lost drops. Its `master_replid` changes at each promotion. The engine also changes it when the first
/// replica connects, or an hour after the last one has left. Then tokens are minted once more, which does no harm.
struct EngineIdentity: Sendable, Equatable {
    /// The commands whose answers have the identity.
    ///
    /// Before Redis 7 one `INFO` tells one section.
    static let commands = [EngineCommand("INFO", "server"), EngineCommand("INFO", "replication")]
    /// The longest identity of a process or of its data, which have 40 digits.
    private static let longestID = 64

    /// The identity as values, leases and places have it.
    let epoch: String
    /// True unless the engine is a replica.
    let isPrimary: Bool
    private let process: Substring
    /// The identity of the data with which the present ones went on, or that no data have.
    private let earlierData: Substring?

    /// Reads the answers to the commands, or returns nil if one of them is something else.
    init?(server: RespValue, replication: RespValue) {
        guard let process = Self.id("run_id", in: server), let data = Self.id("master_replid", in: replication),
            let role = Self.field("role", in: replication)
        else { return nil }
        epoch = "\(process)-\(data)"
        isPrimary = role == "master"
        self.process = process
        earlierData = Self.id("master_replid2", in: replication)
    }

    /// True if the events of an earlier epoch are also this one's, but for the last ones.
    ///
    /// It was a term of the same process, or of the primary whose place this one has taken.
    func continues(_ earlier: String) -> Bool {
        let parts = earlier.split(separator: "-")
        return parts.count == 2 && (parts[0] == process || parts[1] == earlierData)
    }

    /// Reads an identity, which becomes a part of values whose parts are separated by spaces.
    private static func id(_ name: String, in value: RespValue) -> Substring? {
        guard let id = field(name, in: value), 1...longestID ~= id.utf8.count,
            id.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "z")) ~= $0 })
        else { return nil }
        return id
    }

    private static func field(_ name: String, in value: RespValue) -> Substring? {
        guard let text = value.text else { return nil }
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name):") }
        return line?.dropFirst(name.count + 1)
    }
}
