package import Logging
import OperatorReplies
package import TokenCache

extension CacheNotice {
    /// Writes the notice to the log.
    ///
    /// Each change of a tenant's state is only of use to somebody who looks into an incident. Operators are told of the
    /// incident itself.
    package func write(to log: Logger) {
        switch self {
        case .held(let tenant, let length):
            log.debug("a hold has begun or was extended", metadata: Self.metadata(tenant, length))
        case .holdReleased(let tenant, let left):
            log.notice("an operator has ended the tenant's hold", metadata: Self.metadata(tenant, left))
        case .circuitOpened(let tenant, let length):
            log.debug("the circuit breaker has opened", metadata: Self.metadata(tenant, length))
        case .circuitClosed(let tenant):
            log.debug("the circuit breaker has closed", metadata: Self.metadata(tenant))
        case .apiHeld(let tenant, let length):
            log.debug("a hold of the API has begun or was extended", metadata: Self.metadata(tenant, length))
        case .apiCircuitOpened(let tenant, let length):
            log.debug("the circuit breaker of the API has opened", metadata: Self.metadata(tenant, length))
        case .apiCircuitClosed(let tenant):
            log.debug("the circuit breaker of the API has closed", metadata: Self.metadata(tenant))
        case .clientDoubtful(let tenant, _), .clientSuspected(let tenant, _, _), .clientDenied(let tenant):
            log.debug("the state of the client has become worse", metadata: Self.metadata(tenant))
        case .clientAccepted(let tenant):
            log.debug("the tenant has accepted the client", metadata: Self.metadata(tenant))
        case .incident(let incident): incident.write(to: log)
        case .prefetched(let tenant, let results, let time):
            log.info("the users of the prefetch file are done", metadata: Self.metadata(tenant, results, time))
        case .minted(let report): report.write(to: log)
        case .restored(let entries, let duration):
            log.info(
                "tokens survive a restart; those of the last daemon are served",
                metadata: [
                    LogKey.entries: "\(entries)", LogKey.milliseconds: "\(Int(duration / .milliseconds(1)))",
                ]
            )
        }
    }

    private static func metadata(
        _ tenant: String,
        _ results: StatsReply.Tenant.Prefetch,
        _ time: Duration
    ) -> Logger.Metadata {
        [
            LogKey.tenant: "\(tenant)", LogKey.minted: "\(results.minted)", LogKey.cached: "\(results.cached)",
            LogKey.denied: "\(results.denied)", LogKey.failed: "\(results.failed)",
            LogKey.seconds: "\(time.wholeSeconds)",
        ]
    }

    private static func metadata(_ tenant: String, _ length: Duration? = nil) -> Logger.Metadata {
        var metadata: Logger.Metadata = [LogKey.tenant: "\(tenant)"]
        if let length { metadata[LogKey.seconds] = "\(length.asRetryAfter)" }
        return metadata
    }
}
