package import Logging
import Secrets
import TokenStorage

extension TokenMemory {
    /// Writes to the log what limits have cost, or will, with the remedies.
    package func writeLimits(to log: Logger) {
        switch lostTokens {
        case .lockedMemory:
            log.warning(
                "the last daemon's tokens can't be mapped and are dropped: raise LimitMEMLOCK= (RLIMIT_MEMLOCK)",
                metadata: Self.limit(SecretMemory.limit)
            )
        case .addresses:
            log.warning(
                "the last daemon's tokens can't be mapped and are dropped: raise LimitAS= (RLIMIT_AS)",
                metadata: Self.limit(TokenStorage.addressLimit)
            )
        case nil: break
        }
        if let limit = files.memory.map(\.sizeLimit) ?? TokenFile.sizeLimit {
            log.warning(
                "the limit of file sizes bounds the memory for kept tokens: raise LimitFSIZE= (RLIMIT_FSIZE)",
                metadata: Self.limit(limit)
            )
        }
    }

    private static func limit(_ limit: Int?) -> Logger.Metadata {
        [LogKey.limit: "\(limit.map(String.init) ?? "none")"]
    }
}
