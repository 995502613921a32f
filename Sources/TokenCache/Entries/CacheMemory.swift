package import Secrets
package import TokenStorage

/// The memory that a cache lives in, and the clock by which its records count.
package struct CacheMemory {
    /// The storage of the cached tokens, which nobody else changes.
    package let storage: TokenStorage
    /// The clock of the records.
    package let clock: BootClock
    /// The source of memory for copies of tokens, or nil for the heap.
    package let secrets: SecretMemory?

    /// Creates a memory.
    package init(storage: TokenStorage, clock: BootClock, secrets: SecretMemory?) {
        self.storage = storage
        self.clock = clock
        self.secrets = secrets
    }
}

@available(*, unavailable)
extension CacheMemory: Sendable {}
