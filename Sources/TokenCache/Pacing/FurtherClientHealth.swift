import TokenProtocol

/// The further clients of one tenant that it refuses.
///
/// A further client has only tokens of its own, so each refusal of them is about the client. It says nothing about the
/// tenant's other clients.
struct FurtherClientHealth {
    /// A refusal that has not ended.
    struct Refusal: Equatable {
        let since: Instant
        /// The tenant's last answer.
        var upstream: ErrorReply.Upstream
    }

    /// The refusals by the clients' names.
    private(set) var refusals: [String: Refusal] = [:]

    /// Records that the tenant refuses a client.
    mutating func refused(_ client: String, _ upstream: ErrorReply.Upstream, now: Instant) {
        refusals[client, default: Refusal(since: now, upstream: upstream)].upstream = upstream
    }

    /// Forgets that the tenant refuses a client.
    ///
    /// The tenant has accepted it, or its secret has changed, or it is no longer configured.
    ///
    /// - Returns: True if the tenant refused it.
    mutating func forget(_ client: String) -> Bool { refusals.removeValue(forKey: client) != nil }
}
