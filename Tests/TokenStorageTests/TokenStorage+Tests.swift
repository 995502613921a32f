import Testing

@testable import TokenStorage

extension TokenStorage {
    /// Restores everything, and returns the tokens' users by their records.
    func restoreAll(now: Int64 = 10_000_000_000, slice: Int = 1_000_000) -> [RecordID: String] {
        var found: [RecordID: String] = [:]
        while isRestoring {
            restoreNext(slice, now: now) { id in
                found[id] = records[id].subject
                return true
            }
        }
        return found
    }

    /// Creates a storage in an ordinary file that the next daemon is to have.
    static func kept() throws -> (storage: TokenStorage, files: MemoryFiles) {
        let file = try #require(TokenFile.make(mayBeSecret: false))
        file.setKept(true)
        let storage = try #require(TokenStorage(in: file))
        return (storage, MemoryFiles(of: file))
    }

    /// Opens the files as the next daemon does.
    static func next(_ files: MemoryFiles) throws -> TokenStorage {
        let file = try #require(files.takeOver())
        return try TokenStorage(restoring: file)
    }
}
