// Tenant: one call to a tenant's OAuth endpoint, and what came of it.
//
// Why it exists: the tenant answers in many forms, some of them nonsense. This module makes exactly one request, reads
// the answer strictly and names its outcome; it promises that nothing is followed, retried or kept, that a secret goes to
// the configured origin and nowhere else, and that every call ends in its time.

/// How one tenant is called.
package struct TenantSettings: Sendable, Equatable {
    /// Scheme, host and port.
    package var origin: String
    /// The OAuth client.
    package var clientID: String
    /// Of one call, from its connection to the last byte of its answer.
    package var timeout: Duration
    /// How long a connection may take to be made, TLS included: a part of the call's time, so that a busy machine doesn't
    /// make a tenant look as if it were down, and something is left for the answer.
    package var connectTimeout: Duration
    /// A file of certificate authorities that are trusted besides the system's.
    package var caFile: String?
    /// The proxy by which it is reached; nil: it is reached without one.
    package var proxy: ProxySettings?
    /// What the daemon calls itself.
    package var userAgent: String

    /// Makes settings.
    package init(origin: String, clientID: String, timeout: Duration, caFile: String? = nil, userAgent: String) {
        self.origin = origin
        self.clientID = clientID
        self.timeout = timeout
        connectTimeout = timeout * 3 / 4
        self.caFile = caFile
        self.userAgent = userAgent
    }
}
