/// The section `metrics`.
extension DaemonConfiguration {
    /// The address of the HTTP server.
    package struct MetricsAddress: Sendable, Equatable {
        /// An IPv4 or IPv6 address in its usual form, without brackets.
        package var host: String
        /// The port, from 1.
        package var port: Int

        /// Creates an address.
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }
}
