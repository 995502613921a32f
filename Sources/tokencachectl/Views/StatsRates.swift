package import OperatorReplies

/// The rates between two looks at a daemon's counters, a second.
package struct StatsRates: Sendable, Equatable {
    /// Token requests.
    package let requests: Double
    /// The share of hits among them, or nil if there was no request.
    package let hitShare: Double?
    /// Mints that were started.
    package let mints: Double
    /// Errors, of all operations.
    package let errors: Double

    /// Creates the rates between an earlier look and a later one.
    ///
    /// There are none if the daemon was restarted in between, as it then counts from zero, or if no time has passed.
    package init?(from before: StatsReply, to after: StatsReply) {
        let seconds = after.uptime - before.uptime
        guard seconds > 0, !Self.isRestarted(from: before, to: after),
            let hits = Self.difference(before.requests.hits, after.requests.hits),
            let misses = Self.difference(before.requests.misses, after.requests.misses),
            let coalesced = Self.difference(before.requests.coalesced, after.requests.coalesced),
            let mints = Self.difference(before.mints.started, after.mints.started),
            let errors = Self.difference(Self.sum(before.requests.errors), Self.sum(after.requests.errors))
        else { return nil }
        let requests = hits + misses + coalesced
        self.requests = requests / seconds
        hitShare = requests > 0 ? hits / requests : nil
        self.mints = mints / seconds
        self.errors = errors / seconds
    }

    /// True if the daemon was restarted between an earlier look and a later one.
    ///
    /// A daemon's time and its count of looks only increase.
    static func isRestarted(from before: StatsReply, to after: StatsReply) -> Bool {
        if after.uptime < before.uptime { return true }
        guard let earlier = before.requests.byOperation["stats"], let later = after.requests.byOperation["stats"] else {
            return false
        }
        return later <= earlier
    }

    /// Returns the increase of a counter, or nil if it was reset.
    private static func difference(_ before: Int, _ after: Int) -> Double? {
        after >= before ? Double(after) - Double(before) : nil
    }

    private static func sum(_ counts: [String: Int]) -> Int {
        counts.values.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    }
}

extension Double {
    /// The text of a rate, with one decimal for small ones.
    var rateText: String { self < 100 ? "\((self * 10).rounded() / 10)" : "\(Int(nearest: rounded()))" }
}
