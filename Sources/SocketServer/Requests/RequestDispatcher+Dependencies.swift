package import OperatorReplies
package import TokenCache
package import TokenProtocol

extension RequestDispatcher {
    /// The parts of the daemon that a dispatcher uses, besides the cache.
    package struct Dependencies {
        /// The daemon's version.
        package var version: String
        /// The clock that goes on while the machine is suspended.
        package var now: @Sendable () -> Instant
        /// Reads the configuration again.
        ///
        /// The reply is delivered to the request that asked for it.
        package var reload: (Waiter, Peer) -> Void
        /// Renders the metrics.
        ///
        /// The reply is delivered to the request that asked for it. Returns false if too many wait already.
        package var metrics: (Waiter) -> Bool
        /// Writes a record to the audit trail, without blocking.
        package var audit: (AuditRecord) -> Void
        /// Looks up the names of a peer's user and groups.
        ///
        /// Another policy follows if there are new ones.
        package var askForNames: (Peer) -> Void
        /// Adds the server's connections to the statistics.
        package var fillConnections: (inout StatsReply) -> Void

        /// Creates a set of dependencies.
        package init(
            version: String,
            now: @escaping @Sendable () -> Instant,
            reload: @escaping (Waiter, Peer) -> Void,
            metrics: @escaping (Waiter) -> Bool = { _ in false },
            audit: @escaping (AuditRecord) -> Void,
            askForNames: @escaping (Peer) -> Void = { _ in },
            fillConnections: @escaping (inout StatsReply) -> Void
        ) {
            self.version = version
            self.now = now
            self.reload = reload
            self.metrics = metrics
            self.audit = audit
            self.askForNames = askForNames
            self.fillConnections = fillConnections
        }
    }
}
