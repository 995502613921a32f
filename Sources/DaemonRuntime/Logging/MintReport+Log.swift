import Logging
import TokenCache
import TokenProtocol

extension MintReport {
    /// Writes the report to the log.
    func write(to log: Logger) {
        log.debug("a mint has ended", metadata: metadata)
    }

    private var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = [
            LogKey.tenant: "\(tenant)", LogKey.cause: "\(cause.rawValue)",
            LogKey.outcome: "\(error?.code.rawValue ?? "minted")",
            LogKey.milliseconds: "\(Int(duration / .milliseconds(1)))",
        ]
        if let status = error?.upstream?.status { metadata[LogKey.status] = "\(status)" }
        if let code = error?.upstream?.code ?? error?.cause { metadata[LogKey.code] = "\(code)" }
        return metadata
    }
}
