package import Logging
package import TokenCache
import TokenProtocol

extension CacheNotice {
    /// Writes the notice to the log.
    package func write(to log: Logger) {
        switch self {
        case .held(let tenant, let length):
            log.warning("the tenant asks for no calls for a while", metadata: Self.metadata(tenant, length))
        case .holdReleased(let tenant, let left):
            log.notice("an operator has ended the tenant's hold", metadata: Self.metadata(tenant, left))
        case .circuitOpened(let tenant, let length):
            log.warning(
                "calls to the tenant fail; it is left alone for a while",
                metadata: Self.metadata(tenant, length)
            )
        case .circuitClosed(let tenant): log.notice("the tenant answers again", metadata: Self.metadata(tenant))
        case .clientDoubtful(let tenant, let upstream):
            log.warning(
                "the tenant refused several users in a row, and accepted none between: may the client act for users?",
                metadata: Self.metadata(tenant, upstream)
            )
        case .clientSuspected(let tenant, let upstream, isProbed: true):
            log.warning(
                "the tenant refused several users in a row with 401; one that it has accepted is tried",
                metadata: Self.metadata(tenant, upstream)
            )
        case .clientSuspected(let tenant, let upstream, isProbed: false):
            log.warning(
                "the tenant refused several users in a row with 401, and has accepted none yet: is the secret right?",
                metadata: Self.metadata(tenant, upstream)
            )
        case .clientDenied(let tenant):
            log.error(
                "the tenant refuses the client with 401, also for a user whom it has accepted before",
                metadata: Self.metadata(tenant)
            )
        case .clientAccepted(let tenant): log.notice("the tenant takes the client", metadata: Self.metadata(tenant))
        }
    }

    private static func metadata(_ tenant: String, _ length: Duration? = nil) -> Logger.Metadata {
        var metadata: Logger.Metadata = [LogKey.tenant: "\(tenant)"]
        if let length { metadata[LogKey.seconds] = "\(length.asRetryAfter)" }
        return metadata
    }

    private static func metadata(_ tenant: String, _ upstream: ErrorReply.Upstream) -> Logger.Metadata {
        var metadata = metadata(tenant)
        metadata[LogKey.status] = "\(upstream.status)"
        if let code = upstream.code { metadata[LogKey.code] = "\(code)" }
        return metadata
    }
}
