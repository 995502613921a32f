/// The reason why a call got no reply: a sentence for people, and a code that programs can rely on.
///
/// Neither shows anything of the request, of a proxy's credentials or of the underlying errors' texts.
package struct CallFault: Error, Sendable, Hashable {
    /// The other end of a connection.
    package enum Side: Sendable {
        case tenant
        case proxy
    }

    /// The cause, whose raw value is the code.
    package enum Cause: String, Sendable, CaseIterable {
        /// The name doesn't exist (`EAI_NONAME`, `EAI_NODATA`).
        case noSuchName = "no_such_name"
        /// The name service failed (`EAI_AGAIN` and the like).
        case nameUnresolved = "name_unresolved"
        /// No process listens at the address (`ECONNREFUSED`).
        case refused = "connection_refused"
        /// There is no route to the address (`ENETUNREACH`, `EHOSTUNREACH`), or a firewall forbids it.
        case unreachable = "unreachable"
        /// Looking up the name and connecting took too long.
        case connectTimeout = "connect_timeout"
        /// This machine has no descriptor, port or memory left for a connection.
        case localLimit = "local_limit"
        /// No connection could be made for another reason.
        case notConnected = "not_connected"
        /// No trusted authority has signed the certificate.
        case unknownAuthority = "tls_unknown_authority"
        /// The certificate is for another host.
        case wrongName = "tls_wrong_name"
        /// The certificate has expired.
        case expired = "tls_expired"
        /// The certificate is not valid yet.
        case notYetValid = "tls_not_yet_valid"
        /// The TLS handshake took too long.
        case tlsTimeout = "tls_timeout"
        /// TLS failed for another reason: no common version, an alert, or an end of the connection.
        case tlsFailed = "tls_failed"
        /// The reply took too long.
        case answerTimeout = "answer_timeout"
        /// The connection ended before the reply was complete.
        case connectionLost = "connection_lost"
        /// The reply is not HTTP.
        case notHTTP = "not_http"
        /// The proxy requires credentials, or others than it was given (407).
        case authentication = "authentication"
        /// The proxy forbids connections to the tenant (403).
        case forbidden = "forbidden"
        /// The proxy answered with another status than 2xx, most often because it can't reach the tenant.
        case gateway = "gateway"
        /// The daemon is shutting down.
        case shutDown = "shutting_down"
    }

    /// The side that the fault is about.
    package var side = Side.tenant
    /// The cause.
    package var cause: Cause
    /// The proxy's status, where that is the reason.
    package var status: Int?

    /// Creates a fault at one side of a connection.
    package init(_ cause: Cause, at side: Side = .tenant, status: Int? = nil) {
        self.cause = cause
        self.side = side
        self.status = status
    }

    /// The code, which stays the same between versions.
    package var code: String {
        switch side {
        case .tenant: cause.rawValue
        case .proxy: "proxy_\(cause.rawValue)"
        }
    }

    /// A sentence for people.
    package var sentence: String {
        switch side {
        case .tenant: tenantSentence
        case .proxy: proxySentence
        }
    }

    private var proxySentence: String {
        switch cause {
        case .noSuchName: "the proxy can't be reached: there is no host of its name"
        case .nameUnresolved: "the proxy can't be reached: its name could not be looked up"
        case .refused: "the proxy can't be reached: the connection was refused"
        case .unreachable: "the proxy can't be reached: there is no route to its address"
        case .connectTimeout: "the proxy can't be reached: no connection could be made in time"
        case .localLimit: "the proxy can't be reached: this machine has nothing left for a connection"
        case .answerTimeout: "the proxy took too long to connect to the tenant"
        case .connectionLost: "the proxy ended the connection before it had connected to the tenant"
        case .notHTTP: "the proxy's answer is not HTTP"
        case .authentication: "the proxy refused its credentials, or wants some (407)"
        case .forbidden: "the proxy doesn't allow a connection to the tenant (403)"
        case .gateway: "the proxy could not connect to the tenant: it answered with status \(status ?? 0)"
        case .shutDown: "the daemon is shutting down"
        case .notConnected, .unknownAuthority, .wrongName, .expired, .notYetValid, .tlsTimeout, .tlsFailed:
            "the proxy can't be reached: no connection could be made"
        }
    }

    private var tenantSentence: String {
        switch cause {
        case .noSuchName: "the tenant can't be reached: there is no host of its name"
        case .nameUnresolved: "the tenant can't be reached: its name could not be looked up"
        case .refused: "the tenant can't be reached: the connection was refused"
        case .unreachable: "the tenant can't be reached: there is no route to its address"
        case .connectTimeout: "the tenant can't be reached: no connection could be made in time"
        case .localLimit: "the tenant can't be reached: this machine has nothing left for a connection"
        case .notConnected: "the tenant can't be reached: no connection could be made"
        case .unknownAuthority: "the tenant's certificate can't be trusted: no known authority has signed it"
        case .wrongName: "the tenant's certificate can't be trusted: it is for another host name"
        case .expired: "the tenant's certificate can't be trusted: it has expired"
        case .notYetValid: "the tenant's certificate can't be trusted: it is not valid yet"
        case .tlsTimeout: "the tenant can't be reached: the TLS handshake took too long"
        case .tlsFailed: "the tenant can't be reached: the TLS handshake failed"
        case .answerTimeout: "the tenant took longer than its time-out to answer"
        case .connectionLost: "the connection to the tenant broke before its answer was complete"
        case .notHTTP: "the tenant's answer is not HTTP"
        case .authentication, .forbidden, .gateway: "the tenant can't be reached: the proxy doesn't allow it"
        case .shutDown: "the daemon is shutting down"
        }
    }

    /// True if another set of trusted authorities could make a difference.
    var isOfTrust: Bool { cause == .unknownAuthority }
}
