import OperatorReplies
import TokenCache

/// The uids that have series of their own.
///
/// They are the first ones that use the daemon, and the busiest of those that come at the same time. A uid that is
/// shown stays, as its counters would otherwise seem to start again, and the counters of all others to jump.
struct ShownUIDs: Sendable {
    /// The maximum number of these uids.
    static let limit = 20

    private(set) var uids: [PeerUID] = []

    /// Adds uids as long as there is space.
    mutating func update(_ usage: [PeerUID: StatsReply.Usage]) {
        guard uids.count < Self.limit else { return }
        let known = Set(uids)
        let new = usage.filter { !known.contains($0.key) }
            .sorted { (Self.use($1.value), $0.key) < (Self.use($0.value), $1.key) }
        uids += new.prefix(Self.limit - uids.count).map(\.key)
    }

    private static func use(_ usage: StatsReply.Usage) -> Int {
        usage.requests + usage.connections + usage.waiting + usage.entries
    }
}
