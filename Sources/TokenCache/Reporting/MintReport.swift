package import TokenProtocol

/// The end of one mint, for the log.
///
/// It names neither the user nor the token: more people read the log than the audit trail.
package struct MintReport: Sendable, Equatable {
    /// The tenant's name.
    package var tenant: String
    /// The cause of the mint.
    package var cause: AuditRecord.MintCause
    /// The error for those who waited, or nil if a token was minted.
    package var error: ErrorReply?
    /// The time from sending the call to its end.
    package var duration: Duration
    /// The traces of the requests that asked for it, or nil if there are none.
    package var trace: TraceRecord?

    /// Creates the report of a mint that has ended.
    package init(
        tenant: String,
        cause: AuditRecord.MintCause,
        error: ErrorReply?,
        duration: Duration,
        trace: TraceRecord? = nil
    ) {
        self.tenant = tenant
        self.cause = cause
        self.error = error
        self.duration = duration
        self.trace = trace
    }
}
