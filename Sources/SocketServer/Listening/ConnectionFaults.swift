/// Counts of connections that could not be served, since the start.
package struct ConnectionFaults: Sendable, Equatable {
    /// The connections that were rejected, or closed for others, as all were taken.
    package var rejected = 0
    /// The attempts to accept a connection that have failed.
    package var failedAccepts = 0
    /// The reason of the last failed attempt.
    package var lastReason: String?

    /// Creates counts of nothing.
    package init() {}
}
