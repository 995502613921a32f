/// The results of a probe.
extension TenantProbe {
    /// Everything that a probe found, step by step.
    ///
    /// A step that follows a failed one is nil.
    package struct Report: Sendable {
        /// The host that was looked up and connected to, the proxy's if there is one.
        package var host: String
        /// The port that was connected to.
        package var port: Int
        /// True if a proxy makes the connection to the tenant.
        package var usesProxy: Bool
        /// True if the tenant is reached by TLS.
        package var usesTLS: Bool
        /// The host's addresses.
        package var addresses: Result<[String], CallFault>?
        /// The attempts to connect, one for each address.
        package var attempts: [Attempt] = []
        /// The proxy's answer to the request for a tunnel.
        package var tunnel: Result<Duration, CallFault>?
        package var handshake: Result<Handshake, CallFault>?
        /// The times of a certificate that was rejected.
        package var rejected: Validity?
        package var answer: Result<Answer, CallFault>?

        /// Creates a report without results.
        package init(host: String, port: Int, usesProxy: Bool = false, usesTLS: Bool = true) {
            self.host = host
            self.port = port
            self.usesProxy = usesProxy
            self.usesTLS = usesTLS
        }
    }

    /// An attempt to connect to one address.
    package struct Attempt: Sendable {
        package var address: String
        /// The time that it took, or its fault.
        package var result: Result<Duration, CallFault>

        package init(address: String, result: Result<Duration, CallFault>) {
            self.address = address
            self.result = result
        }
    }

    /// A TLS handshake that succeeded, so the certificate is trusted and names the host.
    package struct Handshake: Sendable {
        /// The version of TLS, such as `TLS 1.3`.
        package var version: String
        package var validity: Validity?
        package var time: Duration

        package init(version: String, validity: Validity?, time: Duration) {
            self.version = version
            self.validity = validity
            self.time = time
        }
    }

    /// The times between which a certificate is valid, in seconds since 1970.
    package struct Validity: Sendable, Equatable {
        package var from: Int
        package var until: Int

        package init(from: Int, until: Int) {
            self.from = from
            self.until = until
        }
    }

    /// The tenant's answer to a request without credentials.
    package struct Answer: Sendable {
        package var status: Int
        /// The tenant's clock minus this machine's in seconds, or nil if the answer has no date.
        package var clockOffset: Double?
        package var time: Duration

        package init(status: Int, clockOffset: Double?, time: Duration) {
            self.status = status
            self.clockOffset = clockOffset
            self.time = time
        }
    }
}
