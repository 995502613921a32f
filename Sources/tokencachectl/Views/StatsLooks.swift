package import OperatorReplies
import SafeText
package import TokenCacheClient

/// Successive looks at a daemon's statistics, between which it may be restarted.
package struct StatsLooks {
    /// The failures after which another look makes sense.
    private static let passing: [TokenCacheError.Code] = [.unreachable, .timeout, .shuttingDown, .overloaded]

    private var stats: StatsReply?
    private var rates: StatsRates?
    /// A remark about the last look, or nil if there is none.
    package private(set) var note: String?

    /// Creates a series without looks.
    package init() {}

    /// Takes a look that succeeded.
    package mutating func saw(_ stats: StatsReply) {
        rates = self.stats.flatMap { StatsRates(from: $0, to: stats) }
        let wasRestarted = self.stats.map { StatsRates.isRestarted(from: $0, to: stats) } ?? false
        note = wasRestarted ? "the daemon was restarted, and counts from zero" : nil
        self.stats = stats
    }

    /// Takes a look that failed.
    ///
    /// - Throws: The error, if there was no look yet or another one doesn't help.
    package mutating func failed(_ error: TokenCacheError) throws {
        guard stats != nil, Self.passing.contains(error.code) else { throw error }
        rates = nil
        note = "\(error.message.printable); trying again"
    }

    /// Returns the last statistics with the remark.
    package func text(_ display: Display) -> String {
        let text = stats.map { StatsView($0, rates: rates, display).text } ?? ""
        // A small terminal shows the beginning.
        return note.map { "\(display.style.yellow($0))\n\n\(text)" } ?? text
    }
}
