extension TokenCacheClient {
    /// The result of reporting a token that the tenant's API has refused.
    public struct Invalidation: Sendable, Hashable {
        /// True if that very token was cached and has been dropped.
        public let invalidated: Bool
        /// The time after which to report the token again, from 0 s to 30 days.
        ///
        /// It is nil unless the token had just replaced another reported one.
        public let retryAfter: Duration?

        /// Creates a result, for a test double of the client.
        ///
        /// - Parameters:
        ///   - invalidated: True if the token has been dropped.
        ///   - retryAfter: The time after which to report the token again.
        public init(invalidated: Bool, retryAfter: Duration? = nil) {
            self.invalidated = invalidated
            self.retryAfter = retryAfter
        }
    }
}

extension TokenCacheClient.Invalidation: Decodable, OperationReply {
    /// Decodes a reply to `invalidate`.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        invalidated = try members.decode(Bool.self, forKey: .invalidated)
        retryAfter = members.delay(forKey: .retryAfter)
    }

    private enum CodingKeys: String, CodingKey {
        case invalidated
        case retryAfter = "retry_after"
    }
}
