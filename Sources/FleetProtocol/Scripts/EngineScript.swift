import Crypto

/// A script that the engine runs as one step.
///
/// The scripts run on Redis from 6.2 on and on Valkey: they use no command that came later. All keys that they touch are in
/// `KEYS`, as a cluster demands. Where memory is short the engine refuses the first command that needs some, so each script
/// deletes first, and then writes what it must not be left without.
package enum EngineScript: Sendable, Hashable, CaseIterable {
    case look
    case pay
    case store
    case release
    case renew
    case drop
    case take
    case hold
    case claim
    case state
    case move
    case present

    /// The time after which generations, fences and events are forgotten: no token lives longer than 24 hours.
    package static let memory = 25 * 3_600_000
    /// The number of events that the stream keeps, about.
    package static let events = 10_000
    /// The largest fence that a machine may tell, and the largest number of an event, as Lua counts in steps of one only up to
    /// here.
    package static let largestNumber: Int64 = 1 << 53 - 1
    /// The latest time that an engine's clock may show, in milliseconds: the year 2286.
    package static let latestTime: Int64 = 10_000_000_000_000
    /// The bytes of a stored token or denial at most.
    ///
    /// A longer one was not stored by a machine, and the answers to all calls stay within the parser's limit.
    package static let longestValue = 72 << 10
    /// The bytes of a machine's note at most.
    package static let longestNote = 160
    /// The number of machines' notes that are read at most.
    package static let mostNotes = 5_000
    /// The time by which a fence may be ahead of the engine's time, in milliseconds: a day.
    ///
    /// Fences run ahead where there is more than one in a millisecond, or where the engine's clock was put back. With more
    /// than this, a key is damaged, or somebody has written to it.
    package static let fenceLead: Int64 = 86_400_000
    /// The number of a user's values that a drop names at most under each of the fleet's keys.
    ///
    /// A user has a handful. With more than this an application asks for ever new scopes, and the answer has to stay short.
    package static let most = 1_000

    /// The script in Lua.
    package var text: String { Self.texts[self] ?? "" }

    /// The SHA-1 of the text, by which a loaded script is called.
    package var hash: String { Self.hashes[self] ?? "" }

    private static let texts = Dictionary(uniqueKeysWithValues: allCases.map { ($0, $0.parts.joined(separator: "\n")) })

    private static let hashes = texts.mapValues { text in
        Insecure.SHA1.hash(data: Array(text.utf8)).map(\.hexadecimal).joined()
    }

    private var parts: [String] {
        switch self {
        case .look:
            [Self.time, Self.keys, Self.tenant, Self.names, Self.values, Self.leases, Self.bucket, Self.lookText]
        case .pay: [Self.time, Self.keys, Self.tenant, Self.bucket, Self.payText]
        case .store:
            [Self.time, Self.keys, Self.tenant, Self.names, Self.leases, Self.ids, Self.event, Self.storeText]
        case .release:
            [Self.time, Self.keys, Self.tenant, Self.names, Self.leases, Self.ids, Self.event, Self.releaseText]
        case .renew: [Self.time, Self.keys, Self.withoutTenant, Self.names, Self.leases, Self.renewText]
        case .drop:
            [
                Self.time, Self.keys, Self.tenant, Self.names, Self.values, Self.leases, Self.ids, Self.event,
                Self.dropText,
            ]
        case .take: [Self.time, Self.keys, Self.tenant, Self.values, Self.takeText]
        case .hold: [Self.time, Self.keys, Self.tenant, Self.ids, Self.event, Self.holdText]
        case .claim: [Self.time, Self.claimText]
        case .state: [Self.time, Self.keys, Self.tenant, Self.ids, Self.bucket, Self.stateText]
        case .move: [Self.time, Self.keys, Self.tenant, Self.names, Self.values, Self.moveText]
        case .present: [Self.time, Self.keys, Self.presentText]
        }
    }
}
