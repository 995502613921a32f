import Dispatch
import Secrets
import Testing
import TokenProtocol

@testable import TokenStorage

@Suite("Reading an earlier daemon's tokens ahead")
struct RegionReaderTests {
    /// The tokens of an earlier daemon in several regions, of which every tenth is damaged.
    private func files() throws -> (files: MemoryFiles, users: Set<String>) {
        let (storage, files) = try TokenStorage.kept()
        var users: Set<String> = []
        for number in 0..<1_200 {
            let id = try #require(storage.insert(.of("user-\(number)", scope: "s\(number % 7)", padding: number % 900)))
            if number % 10 == 0 {
                storage.records[id].store(UInt32(number), TokenRecord.Offset.expiresAt)
            } else {
                users.insert("user-\(number)")
            }
        }
        return (files, users)
    }

    private func next(
        _ files: MemoryFiles,
        inBackground: @escaping (@escaping @Sendable () -> Void) -> Void
    ) throws -> TokenStorage {
        let file = try #require(files.takeOver())
        return try TokenStorage(restoring: file, inBackground: inBackground)
    }

    @Test("The tokens are the same if all are read ahead, or none, or some while others are restored.")
    func same() throws {
        let (files, users) = try files()
        let nobody = try next(files.copy(), inBackground: { _ in })
        #expect(Set(nobody.restoreAll(slice: 50).values) == users)
        let ahead = try next(files.copy(), inBackground: { $0() })
        #expect(Set(ahead.restoreAll(slice: 50).values) == users)
        let meanwhile = try next(files.copy(), inBackground: { DispatchQueue.global().async(execute: $0) })
        #expect(Set(meanwhile.restoreAll(slice: 50).values) == users)
        #expect(nobody.count == users.count && ahead.count == users.count && meanwhile.count == users.count)
    }

    @Test("A token that is damaged is overwritten, whoever has read it.")
    func damaged() throws {
        let (files, _) = try files()
        let copy = try files.copy()
        #expect(try copy.contain("token-of-user-10."))
        _ = try next(copy, inBackground: { $0() }).restoreAll()
        #expect(try !copy.contain("token-of-user-10."))
    }

    @Test("The storage waits for no one who has not begun, and reads nothing twice.")
    func late() throws {
        let (files, users) = try files()
        var late: [@Sendable () -> Void] = []
        let storage = try next(files, inBackground: { late.append($0) })
        var found = 0
        let take = { (_: RecordID) in
            found += 1
            return true
        }
        for _ in 0..<20 { storage.restoreNext(100, now: 10_000_000_000, to: take) }
        #expect(found > 0 && found < users.count)
        for body in late { body() }
        while storage.isRestoring { storage.restoreNext(100, now: 10_000_000_000, to: take) }
        #expect(found == users.count)
    }

    @Test("Reading ahead ends when the storage is gone, and uses no memory afterwards.")
    func gone() throws {
        let (files, _) = try files()
        var late: [@Sendable () -> Void] = []
        var storage: TokenStorage? = try next(files, inBackground: { late.append($0) })
        for _ in 0..<20 { storage?.restoreNext(100, now: 10_000_000_000) { _ in true } }
        #expect(storage?.isRestoring == true && late.count == 1)
        storage = nil
        for body in late { body() }
    }
}
