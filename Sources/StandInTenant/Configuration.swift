package import NIOCore

extension StandInTenant {
    /// How a stand-in starts.
    ///
    /// Most of it can be changed while it runs.
    package struct Configuration: Sendable {
        /// The address to listen on: one of 127.0.0.0/8, `::1` or `localhost`.
        package var host = "127.0.0.1"
        /// The port; 0: any free one.
        package var port = 0
        /// What it speaks below HTTP.
        package var tls = TransportSecurity.none
        /// The id of the client that it knows.
        package var clientID = "standin-client"
        /// The secrets that the client may use, one to five.
        package var clientSecrets = ["standin-secret"]
        /// The client's public keys in PEM form, P-384 or RSA, for assertions in place of a secret.
        package var clientKeys: [String] = []
        /// What a request without `scope` is granted.
        package var clientScopes = ["user_default", "admin_classic"]
        /// How long each reply waits.
        package var latency = Duration.zero
        /// How long the tokens of the usual reply live; whole seconds.
        package var lifetime = Duration.seconds(21_600)
        /// How long a token is.
        package var tokenBytes = 1_024
        /// The limit on calls, or none.
        package var rateLimit: RateLimit?
        /// Whose loop it runs on; nothing: NIO's singleton.
        ///
        /// A group that is passed has to outlive the stand-in's last use.
        package var eventLoopGroup: (any EventLoopGroup)?

        /// A stand-in over plain HTTP, on any free port.
        package init() {}

        /// A stand-in that speaks something else below HTTP, on any free port.
        package init(tls: TransportSecurity) {
            self.tls = tls
        }
    }
}
