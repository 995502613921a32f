/// The destination of the audit trail.
package enum AuditDestination: Sendable, Equatable {
    /// Systemd's journal.
    case journal
    /// Standard error.
    case standardError
    /// The file at a path.
    case file(String)
    /// No destination: no records are kept.
    case nowhere
}
