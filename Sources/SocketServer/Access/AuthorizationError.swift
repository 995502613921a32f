package import TokenCache
package import TokenProtocol

/// The reason why a request is forbidden, or why it names nothing that exists.
package struct AuthorizationError: Error, Sendable, Equatable {
    /// The reply to the client.
    package let reply: ErrorReply
    /// The record for the audit trail.
    ///
    /// A request that is not forbidden, but names an unknown tenant, has none.
    package let record: AuditRecord?
}
