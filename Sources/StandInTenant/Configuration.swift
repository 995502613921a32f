extension StandInTenant {
    /// The settings with which a stand-in starts, most of which can be changed while it runs.
    package struct Configuration: Sendable {
        /// The port on 127.0.0.1, or 0 for any free one.
        package var port = 0
        package var tls: TransportSecurity
        package var clientID = "standin-client"
        /// The secrets that are accepted, one to five.
        package var clientSecrets = ["standin-secret"]
        /// The client's public keys in PEM form, P-384 or RSA, for assertions in place of a secret.
        package var clientKeys: [String] = []
        /// Further clients, which get tokens of their own.
        package var clients: [Client] = []
        /// Decides whose tokens can be had.
        package var users = Users.lax
        /// The wait before each reply.
        package var latency = Duration.zero
        /// The limit on `/oauth/`, tier 2.
        package var rateLimit: RateLimit?
        /// The limit on `/api/v1/`, tier 1.
        package var apiRateLimit: RateLimit?
        /// The difference of the tenant's clock from this machine's, in seconds.
        package var clockOffset = 0

        package init(tls: TransportSecurity = .none) { self.tls = tls }
    }

    /// The users that can be impersonated.
    package enum Users: String, Sendable, CaseIterable {
        case lax  // All, whether they exist or not.
        case strict  // Those that exist and are not disabled.
    }

    /// The protocol below HTTP.
    package enum TransportSecurity: Sendable {
        case none  // Plain HTTP.
        case valid  // A valid certificate, signed by the stand-in's own authority.
        case expired  // A certificate that expired yesterday.
        case notYetValid  // A certificate that will be valid from tomorrow on.
        case wrongName  // A certificate for another host.
    }

    /// A limit on calls, enforced by a token bucket.
    package struct RateLimit: Sendable, Equatable {
        /// Calls that the bucket gains a minute, 100 in the tenant's tier 2.
        package var perMinute: Int
        /// Calls that a full bucket holds.
        package var burst: Int

        /// A limit of at least one, with a burst of a minute's calls unless another is given.
        package init(perMinute: Int = 100, burst: Int? = nil) {
            self.perMinute = max(1, perMinute)
            self.burst = max(1, burst ?? perMinute)
        }
    }

    /// The treatment of a connection on which a second request arrives.
    package enum UsedConnections: Sendable {
        case kept  // The request is answered.
        case reset  // The request isn't counted, as if a proxy had forgotten the connection.
    }
}
