import Systemd

/// An open destination of records.
enum AuditSink {
    case journal
    case file(AuditFile)
    case nowhere

    static let noJournal = "there is no journal on this machine"

    /// Opens a destination.
    init(_ destination: AuditDestination) throws(AuditTrailError) {
        switch destination {
        case .journal:
            guard Journal.isAvailable else { throw AuditTrailError(Self.noJournal) }
            self = .journal
        case .standardError: self = .file(AuditFile(standardError: ()))
        case .file(let path): self = .file(try AuditFile(path))
        case .nowhere: self = .nowhere
        }
    }
}
