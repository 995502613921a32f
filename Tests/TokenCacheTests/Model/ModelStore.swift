@testable import TokenCache

/// The store of tokens for the next daemon.
struct ModelStore {
    private(set) var records: [Int: PersistedToken] = [:]
    private let capacity: Int
    private var lastRecordID = 0
    /// True if there was no space for some token.
    private(set) var isFull = false
    /// The time since which uses are persisted regularly.
    var persistsSince: Instant

    init(capacity: Int, since start: Instant) {
        self.capacity = capacity
        persistsSince = start
    }

    var hasSpace: Bool { records.count < capacity }

    mutating func persist(_ token: PersistedToken) -> Int? {
        guard hasSpace else {
            isFull = true
            return nil
        }
        lastRecordID += 1
        records[lastRecordID] = token
        return lastRecordID
    }

    mutating func remove(_ recordID: Int) -> PersistedToken? { records.removeValue(forKey: recordID) }

    /// Updates a use, and returns false if there is no such record.
    mutating func note(_ recordID: Int, _ time: Instant) -> Bool {
        guard records[recordID] != nil else { return false }
        records[recordID]?.lastUsed = time
        return true
    }

    mutating func freeSpace() { isFull = false }

    /// The records in the order in which they are restored: the last used at the end.
    var inOrder: [(recordID: Int, token: PersistedToken)] {
        records.sorted { left, right in
            (left.value.lastUsed ?? ModelRun.start - .seconds(1), left.key)
                < (right.value.lastUsed ?? ModelRun.start - .seconds(1), right.key)
        }
        .map { ($0.key, $0.value) }
    }
}
