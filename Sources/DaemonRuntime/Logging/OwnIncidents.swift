package import Logging
package import SocketServer
import Synchronization
package import TokenCache

/// The incidents of the audit trail, of the configuration's file and of connections.
package final class OwnIncidents: Sendable {
    /// The gap of the audit trail.
    package let auditGap: OwnIncident
    /// The fault of the configuration's file.
    package let wrongConfiguration: OwnIncident
    private let fullConnections: OwnIncident
    private let failedAccepts: OwnIncident
    private let last = Mutex(ConnectionFaults())

    /// Creates incidents that have not begun.
    package init(log: Logger) {
        auditGap = OwnIncident(.auditGap, log: log)
        wrongConfiguration = OwnIncident(.wrongConfiguration, log: log)
        fullConnections = OwnIncident(.fullConnections, log: log)
        failedAccepts = OwnIncident(.failedAccepts, log: log)
    }

    /// Notes the counts of connections, and logs what is due of all incidents.
    package func note(_ faults: ConnectionFaults, now: Instant) {
        let before = last.withLock { last in
            defer { last = faults }
            return last
        }
        if faults.rejected > before.rejected {
            fullConnections.note(until: now, failures: faults.rejected - before.rejected, now: now)
        }
        if faults.failedAccepts > before.failedAccepts {
            failedAccepts.note(
                until: now,
                failures: faults.failedAccepts - before.failedAccepts,
                [LogKey.reason: "\(faults.lastReason ?? "unknown")"],
                now: now
            )
        }
        for incident in [auditGap, wrongConfiguration, fullConnections, failedAccepts] { incident.report(at: now) }
    }
}
