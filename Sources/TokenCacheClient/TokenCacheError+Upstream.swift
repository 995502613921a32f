extension TokenCacheError {
    /// The tenant's own words about a failure, or the reason why it gave no answer.
    public struct Upstream: Sendable, Hashable {
        /// The HTTP status of the tenant's answer, or nil if there was no answer or it was no error.
        public let status: Int?
        /// The tenant's error code, such as `OAUTH-10`.
        ///
        /// Without an answer, the daemon's code for the reason, such as `tls_expired`. For a user who can't be provisioned,
        /// the status in the tenant: `disabled` or `deleted`.
        public let code: String?
        /// The tenant's title of the error, such as `User not found`.
        public let title: String?

        /// Creates a value, for a test double of the client.
        ///
        /// - Parameters:
        ///   - status: The HTTP status.
        ///   - code: The tenant's code.
        ///   - title: The tenant's title.
        public init(status: Int?, code: String?, title: String?) {
            self.status = status
            self.code = code
            self.title = title
        }
    }
}

extension TokenCacheError.Upstream: Decodable {
    /// Reads the member `upstream` of the daemon's reply.
    ///
    /// A `code` or `title` that is not a string counts as missing.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        status = try members.decodeIfPresent(Int.self, forKey: .status)
        code = try? members.decode(String.self, forKey: .code)
        title = try? members.decode(String.self, forKey: .title)
        guard status != nil || code != nil else {
            throw DecodingError.dataCorruptedError(
                forKey: .status,
                in: members,
                debugDescription: "it has neither status nor code"
            )
        }
    }

    private enum CodingKeys: CodingKey { case status, code, title }
}
