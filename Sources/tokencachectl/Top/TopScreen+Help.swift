/// The meanings of the columns.
extension TopScreen {
    /// The lines in place of the tables.
    var help: [StyledText] {
        let entries: [(String, String)] = [
            ("requests", "of applications a second; the graph has a bar for each look"),
            ("hits", "share of the requests for tokens that the cache answered at once"),
            ("mints", "calls that ask the tenant for a token"),
            ("provisions", "requests for users who have to exist, and be in groups"),
            ("CIRCUIT", "open: no calls for that time; half_open: one call decides"),
            ("HOLD", "time for which the tenant has asked for no calls"),
            ("CLIENT", "the daemon's OAuth client: trusted, doubtful, suspected, refused"),
            ("RATE", "calls that can go at once, of those that could after a pause"),
            ("CALLS", "in flight + queued; yellow: callers wait"),
            (" users", "the tenant's API for users, while it is used or in trouble"),
            ("PEER", "local user; WAITING: requests that wait for the tenant"),
            ("REJECTED", "requests and connections denied or displaced for others"),
            ("REFRESH IN", "time until the token's refresh, if the token is in use then"),
        ]
        let title = StyledText(" What the screen shows", .bold)
        return [title, ""] + entries.map { StyledText("  \($0.0)", .name).padded(to: 14) + StyledText($0.1) }
    }
}
