import Testing
import TokenProtocol

@testable import TokenStorage

@Suite("Fences of tokens that machines share")
struct FenceTests {
    @Test("A fence takes eight bytes of the records that have one, and no others.", arguments: 0...8)
    func size(padding: Int) throws {
        let storage = try #require(TokenStorage(in: AnonymousPages()))
        var token = NewToken.of("ann", padding: padding)
        let without = storage.records[try #require(storage.insert(token))]
        token.fence = 1_790_000_000_123
        let with = storage.records[try #require(storage.insert(token))]
        #expect(without.fence == 0)
        #expect(without.lengthOfFence == 0)
        #expect(with.fence == 1_790_000_000_123)
        #expect(with.lengthOfFence == 8)
        #expect(with.accessToken(in: nil) == token.token)
    }

    @Test("The next daemon finds the fence, and leaves a record out in which it is damaged.")
    func restored() throws {
        let (storage, files) = try TokenStorage.kept()
        var token = NewToken.of("ann")
        token.fence = 77
        let id = try #require(storage.insert(token))
        let damaged = try files.copy()
        let offset = id.offset + TokenRecord.Offset.content + "ann".utf8.count + "token-of-ann.".utf8.count
        try unsafe damaged.withBytes { unsafe $0[offset] ^= 1 }
        #expect(try TokenStorage.next(damaged).restoreAll().isEmpty)
        let next = try TokenStorage.next(files)
        let found = try #require(next.restoreAll().keys.first)
        #expect(next.records[found].fence == 77)
    }
}
