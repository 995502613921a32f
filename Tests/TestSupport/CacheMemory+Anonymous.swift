package import TokenCache
import TokenStorage

extension CacheMemory {
    /// Creates a memory that belongs to no file.
    package static func anonymous() -> CacheMemory {
        guard let storage = TokenStorage(in: AnonymousPages()) else { fatalError("there are no addresses left") }
        return CacheMemory(storage: storage, clock: BootClock(), secrets: nil)
    }
}
