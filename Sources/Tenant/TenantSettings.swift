/// The settings of the calls to one tenant.
package struct TenantSettings: Sendable, Equatable {
    /// Scheme, host and port.
    package var origin: String
    /// The OAuth client's id.
    package var clientID: String
    /// The time limit of one call, from its connection to the last byte of its reply.
    package var timeout: Duration
    /// The time limit for making a connection, TLS included.
    ///
    /// It is a part of the call's limit: large enough that a busy machine doesn't make a tenant look as if it were
    /// down, and small enough to leave time for the reply.
    package var connectTimeout: Duration
    /// A file of certificate authorities that are trusted besides the system's.
    package var caFile: String?
    /// The proxy through which the tenant is reached, or nil for a direct connection.
    package var proxy: ProxySettings?
    /// The name that the daemon gives itself in requests.
    package var userAgent: String

    /// Creates settings without a proxy, in which a connection may take three quarters of the call's time.
    package init(origin: String, clientID: String, timeout: Duration, caFile: String? = nil, userAgent: String) {
        self.origin = origin
        self.clientID = clientID
        self.timeout = timeout
        connectTimeout = timeout * 3 / 4
        self.caFile = caFile
        self.userAgent = userAgent
    }
}
