/// The reason why the engine didn't do what it was asked for.
///
/// Each is the absence of the second level for an order, never an error for a caller.
package enum EngineFault: String, Error, Sendable, Hashable, CaseIterable {
    /// There is no connection, or the circuit is open, so nothing was asked.
    case notConnected = "not_connected"
    /// There was no answer in time.
    case timeout
    /// A connection can't be opened.
    case unreachable = "refused"
    /// The connection was lost before the answer.
    case connectionLost = "closed"
    /// The TLS handshake failed.
    case tls
    /// Too many calls wait for their answers.
    case overloaded = "too_many"
    /// The engine wants another user or password, or doesn't permit the command.
    case forbidden = "denied"
    /// The engine is a replica.
    case readOnly = "read_only"
    /// The engine reads its data, or has lost its primary.
    case loading
    /// The engine's memory is full, or it can't write its data to disk or to enough replicas. So it refuses changes.
    case full
    /// The engine runs a script that takes too long.
    case busy
    /// The cluster is incomplete, or refers from one node to another without end.
    case clusterDown = "cluster_down"
    /// The keys of the call are being moved to another node of the cluster. A script can't run until that has ended.
    case moving = "slot_moving"
    /// The engine answers with an error that this program doesn't know.
    case rejected = "other"
    /// The engine's answer is not in the form of the protocol, too long, or not what the command answers.
    case malformed

    /// Reads the first word of an engine's error.
    init(error text: String) {
        switch text.prefix(while: { $0 != " " }) {
        case "NOAUTH", "WRONGPASS", "NOPERM", "DENIED": self = .forbidden
        // The second ends a read of events when the engine becomes a replica.
        case "READONLY", "UNBLOCKED": self = .readOnly
        case "LOADING", "MASTERDOWN": self = .loading
        case "OOM", "MISCONF", "NOREPLICAS": self = .full
        case "BUSY": self = .busy
        case "CLUSTERDOWN", "MOVED", "ASK", "CROSSSLOT": self = .clusterDown
        case "TRYAGAIN": self = .moving
        case "ERR" where Self.isPassword(text) || Self.isOfScript(text): self = .forbidden
        case "ERR" where text.hasPrefix("ERR Protocol error"): self = .malformed
        default: self = .rejected
        }
    }

    /// True if the same connection can't do better a moment later, as it leads to the wrong engine or user.
    var needsNewConnection: Bool {
        switch self {
        case .forbidden, .readOnly, .loading, .connectionLost, .tls, .malformed, .unreachable: true
        case .notConnected, .timeout, .overloaded, .full, .busy, .clusterDown, .moving, .rejected: false
        }
    }

    /// True for what Redis 6 and later versions answer to a script that calls a command or a key that the user may not.
    private static func isOfScript(_ text: String) -> Bool {
        text.hasPrefix("ERR The user executing the script can't") || text.hasPrefix("ERR ACL failure in script")
    }

    /// True for what Redis 6 and Valkey answer to `AUTH` where no or another password is set.
    private static func isPassword(_ text: String) -> Bool {
        text.hasPrefix("ERR invalid password") || text.hasPrefix("ERR AUTH") || text.hasPrefix("ERR Client sent AUTH")
    }
}
