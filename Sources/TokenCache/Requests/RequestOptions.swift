package import Secrets
package import TokenProtocol

/// The options of a request for a token.
package struct RequestOptions: Sendable, Equatable {
    /// The minimum time left, or nil for the configured preference.
    package var minTTL: Duration?
    /// The time for which the caller waits.
    package var timeout: Duration
    /// True if a new token is demanded.
    package var noCache: Bool
    /// The token that an API has just rejected, or nil.
    ///
    /// It is dropped like a token that `invalidate` reports, before the request is answered.
    package var refused: Fingerprint?
    /// The caller.
    package var peer: Peer
    /// The trace that the request belongs to, or nil if it belongs to none.
    package var trace: TraceContext?

    /// Creates the options of a request, by default those of one that names none.
    package init(
        minTTL: Duration? = nil,
        timeout: Duration = TokenRequest.defaultTimeout,
        noCache: Bool = false,
        refused: Fingerprint? = nil,
        peer: Peer,
        trace: TraceContext? = nil
    ) {
        self.minTTL = minTTL
        self.timeout = timeout
        self.noCache = noCache
        self.refused = refused
        self.peer = peer
        self.trace = trace
    }
}
