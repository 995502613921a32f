package import TokenProtocol

/// A change to the store of persisted tokens.
package enum PersistenceChange: Equatable {
    /// A new entry of the cache is to be persisted, if it is still there.
    case store(EntryReference)
    /// The token with this record ID is gone.
    case remove(EncodedToken, recordID: Int)
    /// The token with this record ID was last used at a time.
    case use(recordID: Int, Instant)

    var isStore: Bool { if case .store = self { true } else { false } }

    static func store(_ entry: Entry, slot: Int) -> PersistenceChange {
        .store(EntryReference(entry: entry, slot: slot))
    }
}
