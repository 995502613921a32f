package import Secrets

/// The members of `token`.
package struct TokenRequest: Sendable, Equatable {
    /// The timeout of a caller who gives none: 10 s, about what a web server allows for a page.
    package static let defaultTimeout = Duration.seconds(10)

    /// The key of the token.
    package var key: KeyRequest
    /// The time that the token must at least have left, or nil for the configured preference.
    package var minTTL: Duration?
    /// The longest time that the caller waits.
    package var timeout: Duration
    /// True if the caller does not accept a cached token.
    package var noCache: Bool
    /// The SHA-256 of a token that an API has just rejected, which is dropped first, or nil.
    package var refused: Fingerprint?

    /// Creates a request for a token.
    package init(
        key: KeyRequest,
        minTTL: Duration? = nil,
        timeout: Duration = TokenRequest.defaultTimeout,
        noCache: Bool = false,
        refused: Fingerprint? = nil
    ) {
        self.key = key
        self.minTTL = minTTL
        self.timeout = timeout
        self.noCache = noCache
        self.refused = refused
    }
}
