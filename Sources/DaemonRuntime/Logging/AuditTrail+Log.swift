package import Audit
import Logging
package import TokenCache

extension AuditTrail.Report {
    /// Notes the report in the incident of a trail's gap.
    package func note(in incident: OwnIncident, now: Instant) {
        switch self {
        case .losesRecords(let reason): incident.note(until: nil, [LogKey.reason: "\(reason)"], now: now)
        case .recovers(let missing): incident.end([LogKey.missing: "\(missing)"], now: now)
        }
    }
}
