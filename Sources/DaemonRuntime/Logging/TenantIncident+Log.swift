import Logging
import TokenCache

extension TenantIncident {
    /// Writes the notice to the log.
    ///
    /// It is an error if users are affected, and a warning if only somebody should look.
    func write(to log: Logger) {
        let isError = report.failures > 0 || kind == .client(.denied)
        switch (kind, report.phase) {
        case (.outage, .began): log.log(isError, "calls to the tenant fail", metadata(.outageBegan))
        case (.outage, .lasts): log.log(isError, "calls to the tenant still fail", metadata(.outageLasts))
        case (.outage, .ended): log.notice("calls to the tenant no longer fail", metadata: metadata(.outageEnded))
        case (.hold, .began): log.log(isError, "the tenant asks for no calls for a while", metadata(.holdBegan))
        case (.hold, .lasts): log.log(isError, "the tenant still asks for no calls", metadata(.holdLasts))
        case (.hold, .ended): log.notice("the tenant no longer asks for no calls", metadata: metadata(.holdEnded))
        case (.apiOutage, _): writeAPIOutage(to: log, isError)
        case (.apiHold, _): writeAPIHold(to: log, isError)
        case (.client(let trouble), .began): log.log(isError, trouble.message, metadata(trouble.event))
        case (.client(let trouble), .lasts): log.log(isError, trouble.message, metadata(.clientTroubleLasts))
        case (.client, .ended): log.notice("the tenant takes the client", metadata: metadata(.clientAccepted))
        case (.furtherClient, .began):
            log.log(isError, "the tenant refuses a further client", metadata(.furtherClientRefused))
        case (.furtherClient, .lasts):
            log.log(isError, "the tenant still refuses a further client", metadata(.furtherClientStillRefused))
        case (.furtherClient, .ended):
            log.notice("the tenant no longer refuses a further client", metadata: metadata(.furtherClientAccepted))
        }
    }

    private func writeAPIOutage(to log: Logger, _ isError: Bool) {
        switch report.phase {
        case .began: log.log(isError, "calls of the tenant's API fail", metadata(.apiOutageBegan))
        case .lasts: log.log(isError, "calls of the tenant's API still fail", metadata(.apiOutageLasts))
        case .ended: log.notice("calls of the tenant's API no longer fail", metadata: metadata(.apiOutageEnded))
        }
    }

    private func writeAPIHold(to log: Logger, _ isError: Bool) {
        switch report.phase {
        case .began: log.log(isError, "the tenant's API asks for no calls for a while", metadata(.apiHoldBegan))
        case .lasts: log.log(isError, "the tenant's API still asks for no calls", metadata(.apiHoldLasts))
        case .ended: log.notice("the tenant's API no longer asks for no calls", metadata: metadata(.apiHoldEnded))
        }
    }

    private func metadata(_ event: LogEventName) -> Logger.Metadata {
        var metadata = report.metadata(event)
        metadata[LogKey.tenant] = "\(tenant)"
        if case .furtherClient(let client) = kind { metadata[LogKey.client] = "\(client)" }
        if let reason = cause?.reason { metadata[LogKey.reason] = "\(reason)" }
        if let status = cause?.status { metadata[LogKey.status] = "\(status)" }
        if let code = cause?.code { metadata[LogKey.code] = "\(code)" }
        return metadata
    }
}

extension TenantIncident.ClientTrouble {
    fileprivate var message: Logger.Message {
        switch self {
        case .doubtful:
            "the tenant refused several users in a row, and accepted none between: may the client act for users?"
        case .suspected(isProbed: true):
            "the tenant refused several users in a row with 401; one that it has accepted is tried"
        case .suspected(isProbed: false):
            "the tenant refused several users in a row with 401, and has accepted none yet: is the secret right?"
        case .denied: "the tenant refuses the client with 401, also for a user whom it has accepted before"
        }
    }

    fileprivate var event: LogEventName {
        switch self {
        case .doubtful, .suspected: .clientSuspected
        case .denied: .clientDenied
        }
    }
}

extension Incident.Report {
    /// The metadata of a report of an event.
    func metadata(_ event: LogEventName) -> Logger.Metadata {
        metadata.merging([LogKey.event: "\(event.rawValue)"]) { $1 }
    }

    /// The time for which the incident has lasted, and the failures since the last report.
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = [:]
        if duration > .zero { metadata[LogKey.seconds] = "\(Int(duration / .seconds(1)))" }
        if failures > 0 || phase == .lasts { metadata[LogKey.failed] = "\(failures)" }
        return metadata
    }
}

extension Logger {
    /// Logs an incident, as an error if users are affected, and as a warning otherwise.
    fileprivate func log(_ isError: Bool, _ message: Message, _ metadata: Metadata) {
        log(level: isError ? .error : .warning, message, metadata: metadata)
    }
}
