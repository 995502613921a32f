extension ExplainReply {
    /// The origin of an answer.
    package struct Source: OpenName {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        package static var cache: Source { "cache" }
        package static var fleet: Source { "fleet" }
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
