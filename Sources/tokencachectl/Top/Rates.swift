import OperatorReplies
import TokenCacheClient

/// The work of the daemon between two looks.
struct Rates: Sendable {
    /// Requests of applications a second.
    let requests: Double
    /// Calls a second that ask for a token.
    let mints: Double
    /// Mints a second that failed.
    let failures: Double
    /// Requests a second that provision a user.
    let provisions: Double
    /// The share of the requests for tokens that were answered from the cache, or nil if there were none.
    let hitShare: Double?
    /// Requests a second by uid, without those of which the daemon doesn't say.
    let peers: [UInt32: Double]

    /// Compares two looks.
    ///
    /// The result is nil if the daemon was started in between, or if a counter went back.
    init?(from earlier: Look, to later: Look) {
        let seconds = (later.at - earlier.at).inSeconds
        guard seconds > 0, !Self.isRestart(from: earlier, to: later, seconds: seconds) else { return nil }
        let counters: [(Look) -> Double] = [
            \.requests, { Double($0.stats.mints.started) }, \.failures, \.lookups, { Double($0.stats.requests.hits) },
            \.provisions,
        ]
        let added = counters.map { $0(later) - $0(earlier) }
        guard added.allSatisfy({ $0 >= 0 }) else { return nil }
        (requests, mints, failures) = (added[0] / seconds, added[1] / seconds, added[2] / seconds)
        provisions = added[5] / seconds
        hitShare = added[3] > 0 ? min(1, added[4] / added[3]) : nil
        peers = later.stats.uids.reduce(into: [:]) { rates, peer in
            let count = peer.value.requests
            // An older daemon doesn't count. A uid that was not listed before may have taken another one's place in the
            // daemon's table, and then its rate is not known.
            guard count > 0, let before = earlier.stats.uids[peer.key]?.requests, count >= before else { return }
            rates[peer.key] = Double(count - before) / seconds
        }
    }

    /// True if the daemon was started since the earlier look.
    private static func isRestart(from earlier: Look, to later: Look, seconds: Double) -> Bool {
        // The replies may have taken different times.
        let tolerance = 0.5 * seconds
        return later.stats.uptime < earlier.stats.uptime || later.stats.uptime + tolerance < seconds
    }
}
