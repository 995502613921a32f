/// The limits of the protocol, and its version.
package enum ProtocolLimits {
    /// The protocol's version.
    ///
    /// It is raised if a meaning changes, but not for a new member or operation.
    package static let version = 1
    /// The longest line of a request in bytes without its end: enough for a prefetch of a thousand subjects.
    package static let longestLine = 65_536
    /// The most requests of one connection that may wait for a reply.
    ///
    /// At this number the connection is not read.
    package static let maxWaiting = 1_024
}
