/// The outcome of mapping a part of a storage's memory.
package enum MapOutcome: Sendable, Equatable {
    /// The part is mapped.
    case mapped
    /// The kernel refused, and the addresses are still reserved.
    case refused(MapRefusal)
    /// The kernel refused, and the addresses may belong to something else now.
    case lost
}

/// The reason for which memory can't be mapped.
package enum MapRefusal: Error {
    /// The process may not lock more memory (`RLIMIT_MEMLOCK`).
    case lockedMemory
    /// The process can't have more addresses (`RLIMIT_AS`), or the file is not large enough (`RLIMIT_FSIZE`).
    case addresses
}
