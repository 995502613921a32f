import OperatorReplies
import TokenProtocol

/// The second level's part of an explanation.
extension CacheStateMachine {
    /// The sentence on a request for a token that may be in the second level.
    static var looksUp: String { "the next request asks the other machines' cache" }

    /// Returns the second level's part in the next answer, or nil without a fleet.
    func fleetPart(
        _ key: TokenKey,
        _ entry: Entry?,
        _ call: Call?,
        _ judgement: Judgement,
        now: Instant
    ) -> ExplainReply.Fleet? {
        guard fleet.isOn else { return nil }
        var part = ExplainReply.Fleet(isConnected: fleet.isConnected(key.user.tenant), step: .none)
        guard part.isConnected, !key.user.isClient else { return part }
        switch judgement.verdict {
        case .serve, .serveAndRefresh, .negative, .paced, .limited: return part
        case .mint, .look: break
        }
        if case .yielding? = call?.phase {
            part.step = .yielding
            part.seconds = call?.mint?.fleet.yieldsUntil.map { max(0, ($0 - now).inSeconds) }
        } else {
            part.step = entry.map(isSuspect) == true ? .verification : .lookup
        }
        return part
    }

    /// The counters of the second level for `stats`, or nil without a fleet.
    var fleetCounts: StatsReply.Fleet? {
        guard fleet.isOn else { return nil }
        var counts = StatsReply.Fleet()
        counts.tenantsAway = configured.count { !fleet.isConnected($0) }
        counts.isConnected = counts.tenantsAway == 0
        counts.machines = fleet.machines
        counts.hits = fleet.statistics.hits
        counts.leftToOthers = fleet.statistics.leftToOthers
        counts.dropsSent = fleet.statistics.dropsSent
        counts.dropsReceived = fleet.statistics.dropsReceived
        return counts
    }

    /// Returns the reason why a request waits for a new token.
    func mintReason(_ entry: Entry?, _ call: Call?, _ key: TokenKey) -> String {
        switch call?.phase {
        case .yielding: return "another machine mints the token, and a request waits for it"
        case .claiming: return "the other machines' cache is asked for the token, which is minted if it has none"
        case .queued, .sent, .pausing: return "a mint is planned or under way, and is shared"
        case nil: break
        }
        guard fleet.isConnected(key.user.tenant), !key.user.isClient else { return "a token has to be minted" }
        guard entry.map(isSuspect) == true else { return "\(Self.looksUp), and a token is minted if it has none" }
        return "news of dropped tokens was lost: \(Self.looksUp) if the cached token still holds"
    }
}
