package import OperatorReplies

/// The sources of the pages.
///
/// Each may take any time: the server answers in time without it, and calls none again before it has returned.
package struct Pages: Sendable {
    /// The metrics in Prometheus's text format 0.0.4, or nil if they can't be read.
    package var metrics: @Sendable () async -> String?
    /// Returns when the event loop of the name has had a turn.
    package var loops: [String: @Sendable () async -> Void]
    /// The checks that say that the daemon should get requests.
    package var readiness: @Sendable () async -> HealthReply

    /// Creates a set of sources.
    package init(
        metrics: @escaping @Sendable () async -> String?,
        loops: [String: @Sendable () async -> Void],
        readiness: @escaping @Sendable () async -> HealthReply
    ) {
        self.metrics = metrics
        self.loops = loops
        self.readiness = readiness
    }
}
