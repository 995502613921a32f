package import Logging
package import Secrets

extension SecretMemory.Shortage {
    /// Writes the shortage and its remedy to the log.
    package func write(to log: Logger) {
        guard let limit else {
            return log.warning("memory that holds secrets can't be locked: it may be swapped")
        }
        log.warning(
            "memory that holds secrets can't all be locked and may be swapped: raise LimitMEMLOCK= (RLIMIT_MEMLOCK)",
            metadata: [LogKey.size: "\(size)", LogKey.limit: "\(limit)"]
        )
    }
}
