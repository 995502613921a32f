extension TokenCacheClient {
    /// The state of the tokens of a prefetch when the daemon answered.
    ///
    /// Each user is counted once.
    public struct Prefetch: Sendable, Hashable {
        /// The number of tokens that are being minted.
        public let queued: Int
        /// The number of tokens that were cached already.
        public let cached: Int
        /// The number of users that the tenant has refused recently, so that no token is minted for them now.
        public let refused: Int

        /// Creates a result, for a test double of the client.
        ///
        /// - Parameters:
        ///   - queued: The number of tokens that are being minted.
        ///   - cached: The number of tokens that were cached already.
        ///   - refused: The number of users who were refused recently.
        public init(queued: Int, cached: Int, refused: Int) {
            self.queued = queued
            self.cached = cached
            self.refused = refused
        }

        /// The sum of both, or nil if one of its numbers overflows.
        package func adding(_ other: Prefetch) -> Prefetch? {
            let queued = queued.addingReportingOverflow(other.queued)
            let cached = cached.addingReportingOverflow(other.cached)
            let refused = refused.addingReportingOverflow(other.refused)
            guard !queued.overflow, !cached.overflow, !refused.overflow else { return nil }
            return Prefetch(
                queued: queued.partialValue,
                cached: cached.partialValue,
                refused: refused.partialValue
            )
        }
    }
}

extension TokenCacheClient.Prefetch: Decodable, OperationReply {
    /// Decodes a reply to `prefetch`.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        queued = try members.decode(Int.self, forKey: .queued)
        cached = try members.decode(Int.self, forKey: .cached)
        refused = try members.contains(.refused) ? members.decode(Int.self, forKey: .refused) : 0
    }

    private enum CodingKeys: CodingKey { case queued, cached, refused }
}
