extension ExplainReply {
    /// The state of a key.
    package struct State: OpenName {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// There is a token, and it is served.
        package static var fresh: State { "fresh" }
        /// There is a token, it is served, and the next request starts its refresh.
        package static var due: State { "due" }
        /// There is a token, and it is served while a new one is minted.
        package static var refreshing: State { "refreshing" }
        /// There is a token that expires too soon, so the next request waits for a new one.
        package static var expiring: State { "expiring" }
        /// There is no token, and one is being minted.
        package static var minting: State { "minting" }
        /// There is no token, and the tenant has recently refused the user.
        package static var refused: State { "refused" }
        /// There is no token, and minting has just failed.
        package static var failing: State { "failing" }
        /// Nothing is known of the key.
        package static var absent: State { "absent" }
    }

    /// The origin of an answer.
    package struct Source: OpenName {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        package static var cache: Source { "cache" }
        package static var tenant: Source { "tenant" }
        package static var error: Source { "error" }
    }
}

extension ExplainReply.Refresh {
    /// The event that starts a refresh.
    package struct Cause: OpenName {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The first request after that time starts it.
        package static var ahead: Cause { "ahead" }
        /// A timer starts it, because the token is in use.
        package static var refreshDeadline: Cause { "last_chance" }
        /// It has failed and is tried again at that time.
        package static var backoff: Cause { "backoff" }
        /// It waits for its turn.
        package static var queued: Cause { "queued" }
        /// It has started.
        package static var underWay: Cause { "under_way" }
    }
}
