import Logging
import TokenCache
import TokenProtocol

extension MintReport {
    /// Writes the report to the log.
    ///
    /// A mint in a trace is looked for by its trace, so it is always there. The tenant's rate limits their number.
    func write(to log: Logger) {
        log.log(level: trace == nil ? .debug : .info, "a mint has ended", metadata: metadata)
    }

    private var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = [
            LogKey.tenant: "\(tenant)", LogKey.cause: "\(cause.rawValue)",
            LogKey.outcome: "\(error?.code.rawValue ?? "minted")",
            LogKey.milliseconds: "\(Int(duration / .milliseconds(1)))",
        ]
        if let status = error?.upstream?.status { metadata[LogKey.status] = "\(status)" }
        if let code = error?.upstream?.code ?? error?.cause { metadata[LogKey.code] = "\(code)" }
        if let sent = trace?.sent {
            metadata[LogKey.traceID] = "\(sent.traceID)"
            metadata[LogKey.spanID] = "\(sent.spanID)"
        }
        if let others = trace?.othersText { metadata[LogKey.otherTraceIDs] = "\(others)" }
        return metadata
    }
}
