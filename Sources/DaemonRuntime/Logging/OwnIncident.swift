package import Logging
import Synchronization
package import TokenCache

/// Logs one of the daemon's own incidents, once when it begins, once a minute while it lasts, and once when it is over.
package final class OwnIncident: Sendable {
    /// The kind of fault.
    package enum Kind: Sendable {
        /// Records of the audit trail are lost.
        case auditGap
        /// Connections are rejected or closed, as all are taken.
        case fullConnections
        /// Connections can't be accepted.
        case failedAccepts
        /// A socket's name does not lead to the daemon.
        case unreachable
        /// A socket's name is deleted again and again.
        case lostNames
        /// The configuration's file has a fault.
        case wrongConfiguration
        /// The engine of the fleet doesn't answer.
        case absentEngine
    }

    private struct State {
        var incident = Incident()
        var metadata = Logger.Metadata()
    }

    private let kind: Kind
    private let log: Logger
    private let state = Mutex(State())

    /// Creates an incident that has not begun.
    package init(_ kind: Kind, log: Logger) {
        self.kind = kind
        self.log = log
    }

    /// Notes that the fault is there, and logs that if it is due.
    ///
    /// - Parameters:
    ///   - end: The time until which it lasts, or nil if that isn't known.
    ///   - failures: The number of failures that it has caused since the last call.
    ///   - metadata: The values for the log, such as the reason.
    package func note(until end: Instant?, failures: Int = 0, _ metadata: Logger.Metadata = [:], now: Instant) {
        state.withLock { state in
            state.incident.note(until: end, now: now)
            state.incident.count(failures)
            state.metadata = metadata
        }
        report(at: now)
    }

    /// Notes that the fault is gone.
    ///
    /// - Parameter metadata: Further values for the log.
    package func end(_ metadata: Logger.Metadata = [:], now: Instant) {
        state.withLock { state in
            state.incident.end(now: now)
            state.metadata = metadata
        }
    }

    /// Notes that the fault is gone, of which the log has a record already.
    package func forget() { state.withLock { $0 = State() } }

    /// Logs what is due.
    package func report(at now: Instant) {
        write(state.withLock { state in state.incident.report(at: now).map { ($0, state.metadata) } })
    }

    /// Logs its end at once if the fault is gone, as the daemon ends.
    package func finish() {
        write(state.withLock { state in state.incident.finish().map { ($0, state.metadata) } })
    }

    private func write(_ due: (report: Incident.Report, metadata: Logger.Metadata)?) {
        guard let (report, metadata) = due, let message = kind.message(of: report.phase) else { return }
        let event = kind.event(of: report.phase)
        let own = event.map(report.metadata) ?? report.metadata
        log.log(
            level: report.phase == .ended ? .notice : kind.level,
            message,
            metadata: metadata.merging(own) { $1 }
        )
    }
}
