package import Logging
import Secrets
import TokenStorage

extension TokenMemory {
    /// Writes to the log what limits have cost, or will, with the remedies.
    package func writeLimits(to log: Logger) {
        if hasLostTokens {
            let limit = SecretMemory.limit.map { "\($0)" } ?? "none"
            log.warning(
                "the last daemon's tokens can't be mapped and are dropped: raise LimitMEMLOCK= (RLIMIT_MEMLOCK)",
                metadata: [LogKey.limit: "\(limit)"]
            )
        }
        if let limit = files.memory?.sizeLimit {
            log.warning(
                "the limit of file sizes bounds the memory for tokens: raise LimitFSIZE= (RLIMIT_FSIZE)",
                metadata: [LogKey.limit: "\(limit)"]
            )
        }
    }
}
