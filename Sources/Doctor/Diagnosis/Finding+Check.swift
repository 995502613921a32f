extension Finding {
    /// A step of an examination, in the order of the examination.
    package enum Check: String, Sendable {
        /// The configuration file.
        case configuration
        /// A file or directory of the configuration: who can read and who can change it.
        case file
        /// The clients that may create users and revoke their tokens.
        case provision
        /// A secret or key of a tenant's clients, or the password of its proxy.
        case secret
        /// A unit of systemd.
        case unit
        /// One of the daemon's sockets.
        case socket
        /// The daemon's answer to a greeting.
        case daemon
        /// The limits of the daemon's process.
        case limits
        /// The destination of the audit trail.
        case audit
        /// The addresses of a tenant's host, or of its proxy.
        case name
        /// Connections to these addresses.
        case connection
        /// The tunnel through a proxy.
        case tunnel
        /// The TLS handshake and the tenant's certificate.
        case certificate
        /// The tenant's answer to a request without credentials.
        case http
        /// The difference between this machine's clock and the tenant's.
        case clock
        /// The engine that the machines of a fleet share.
        case fleet
        /// A token for a user, by the daemon.
        case token
        /// The daemon's own account of its health.
        case health
        /// Refreshes, the last success of each tenant, and losses of the audit trail.
        case activity
    }
}
