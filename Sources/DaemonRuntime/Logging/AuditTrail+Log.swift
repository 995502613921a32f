import Audit
import Logging

extension AuditTrail.Report {
    /// Writes the report to the log.
    func write(to log: Logger) {
        switch self {
        case .losesRecords(let reason):
            log.error("the audit trail has a gap", metadata: [LogKey.reason: "\(reason)"])
        case .recovers(let missing):
            log.notice("the audit trail is written again", metadata: [LogKey.missing: "\(missing)"])
        }
    }
}
