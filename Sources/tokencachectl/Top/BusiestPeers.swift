import OperatorReplies

/// The local users by their use of the daemon, the busiest first.
struct BusiestPeers {
    /// A user's use of the daemon.
    struct Peer {
        let uid: UInt32
        let usage: StatsReply.Usage
        /// Requests a second, or nil if that isn't known.
        let rate: Double?

        /// The values by which users are compared, the most important first.
        fileprivate var activity: [Double] {
            [rate ?? 0, Double(usage.waiting), Double(usage.connections), Double(usage.entries), -Double(uid)]
        }
    }

    /// The most users whose names are looked up.
    private static let maxNames = 100

    let peers: [Peer]

    init(_ look: Look, _ rates: Rates?) {
        let unsorted = look.stats.uids.map { Peer(uid: $0.key, usage: $0.value, rate: rates?.peers[$0.key]) }
        peers = unsorted.sorted { $0.activity.lexicographicallyPrecedes($1.activity, by: >) }
    }

    /// The busiest users' uids.
    var uids: some Sequence<UInt32> { peers.prefix(Self.maxNames).map(\.uid) }
}
