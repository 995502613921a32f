extension TokenCacheClient {
    /// The source of an answer.
    ///
    /// The set is open: a later daemon may name one that has no constant here.
    public struct Source: RawRepresentable, Sendable, Hashable {
        /// The source as the protocol writes it.
        public let rawValue: String

        /// Creates a source from the protocol's text.
        ///
        /// Any text is a source.
        public init(rawValue: String) { self.rawValue = rawValue }
    }
}

extension TokenCacheClient.Source: CustomStringConvertible {
    /// The daemon had the answer.
    public static let cache = TokenCacheClient.Source(rawValue: "cache")
    /// The daemon called the tenant during this call, for this caller or for another one at the same time.
    public static let tenant = TokenCacheClient.Source(rawValue: "tenant")

    /// The source as the protocol writes it.
    public var description: String { rawValue }
}

extension TokenCacheClient.Token {
    /// The source of a token.
    public typealias Source = TokenCacheClient.Source
}
