import Foundation
import TokenCache

/// The counts of a fleet from the time on at which it is warm.
struct FleetTotals {
    var requests = 0
    /// The requests that were answered at once.
    var hits = 0
    /// The calls for tokens.
    var mints = 0
    /// The calls for tokens of users who had none that lasts, or whose token was to be renewed.
    var lives = 0
    /// The runs of the engine's scripts.
    var engineCalls = 0
    /// The errors that callers got.
    var errors = 0
    var longestWait = Duration.zero

    /// The cells of a table.
    var row: String {
        let perLife = String(format: "%.4f", Double(mints) / Double(max(1, lives)))
        let perRequest = String(format: "%.2f", Double(engineCalls) / Double(max(1, requests)))
        let hits = String(format: "%.1f %%", 100 * Double(hits) / Double(max(1, requests)))
        let wait = String(format: "%.2f s", longestWait.inSeconds)
        return "| \(perLife) | \(perRequest) | \(hits) | \(wait)\(errors > 0 ? ", \(errors) errors" : "") |"
    }
}
