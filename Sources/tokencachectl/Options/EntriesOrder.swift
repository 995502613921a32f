import ArgumentParser

/// An order in which the cache's content can be listed.
enum EntriesOrder: String, CaseIterable, ExpressibleByArgument {
    /// By the time of the next refresh, the soonest first.
    case nextRefresh = "next-refresh"

    /// The order's name in the protocol.
    var wireName: String {
        switch self {
        case .nextRefresh: "next_refresh"
        }
    }
}
