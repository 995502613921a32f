extension TokenCacheClient.Token {
    /// The source of a token.
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

extension TokenCacheClient.Token.Source: CustomStringConvertible {
    /// The daemon had the token.
    public static let cache = TokenCacheClient.Token.Source(rawValue: "cache")
    /// The tenant minted the token during this call, for this caller or for another one at the same time.
    public static let tenant = TokenCacheClient.Token.Source(rawValue: "tenant")

    /// The source as the protocol writes it.
    public var description: String { rawValue }
}
