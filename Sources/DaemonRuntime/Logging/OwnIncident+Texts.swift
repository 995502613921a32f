import Logging
import TokenCache

extension OwnIncident.Kind {
    /// The level of its records but the last: an error if users are affected or a promise is broken.
    var level: Logger.Level {
        switch self {
        case .auditGap, .fullConnections, .failedAccepts, .unreachable: .error
        case .lostNames, .wrongConfiguration, .absentEngine: .warning
        }
    }

    /// The message for a part of its life, or nil if the log has none.
    func message(of phase: Incident.Phase) -> Logger.Message? {
        switch (self, phase) {
        case (.auditGap, .began): "the audit trail has a gap"
        case (.auditGap, .lasts): "the audit trail still has gaps"
        case (.auditGap, .ended): "the audit trail is written again"
        case (.fullConnections, .began): "connections are rejected or closed: all are taken"
        case (.fullConnections, .lasts): "connections are still rejected or closed"
        case (.fullConnections, .ended): "connections are no longer rejected"
        case (.failedAccepts, .began): "connections can't be accepted"
        case (.failedAccepts, .lasts): "connections still can't be accepted"
        case (.failedAccepts, .ended): "connections are accepted again"
        case (.unreachable, .began): "nobody can connect"
        case (.unreachable, .lasts): "still nobody can connect"
        case (.unreachable, .ended): "the sockets' names lead to the daemon again"
        case (.lostNames, .began): "a socket's name was gone; it is bound anew"
        case (.lostNames, .lasts): "a socket's name is gone again and again"
        case (.wrongConfiguration, .lasts): "the configuration still has a fault and the old one stays in force"
        case (.absentEngine, .began): "the fleet's engine does not answer: nothing is shared with other machines"
        case (.absentEngine, .lasts): "the fleet's engine still does not answer"
        case (.absentEngine, .ended): "the fleet's engine answers again"
        // One lost name needs no end, and each reload has records of its own.
        case (.lostNames, .ended), (.wrongConfiguration, .began), (.wrongConfiguration, .ended): nil
        }
    }

    /// The event for a part of its life, or nil if it has none.
    func event(of phase: Incident.Phase) -> LogEventName? {
        switch (self, phase) {
        case (.auditGap, .began): .auditGapBegan
        case (.auditGap, .lasts): .auditGapLasts
        case (.auditGap, .ended): .auditGapEnded
        case (.fullConnections, .began), (.fullConnections, .lasts): .connectionsFull
        case (.unreachable, .began), (.unreachable, .lasts): .unreachable
        case (.wrongConfiguration, .lasts): .reloadFailed
        default: nil
        }
    }
}
