import Secrets
import TestSupport
import Testing
import TokenProtocol

@testable import TokenStorage

@Suite("The memory of the tokens")
struct TokenStorageTests {
    private let storage: TokenStorage

    init() throws { storage = try #require(TokenStorage(in: AnonymousPages())) }

    @Test("A record has all that was stored of a token.")
    func roundTrip() throws {
        var token = NewToken.of("ann", field: .userID, scope: "a b")
        token.isUnrequested = true
        token.lastUsed = 5_999
        let record = storage.records[try #require(storage.insert(token))]
        #expect(record.subject == "ann")
        #expect(record.hasUser("ann"))
        #expect(!record.hasUser("anm"))
        #expect(!record.hasUser("anna"))
        #expect(record.field == .userID)
        #expect(record.text == "token-of-ann.")
        #expect(record.sent == token.sent)
        #expect(record.arrived == token.arrived)
        #expect(record.lastUsed == 5_000)
        #expect(record.lifetime == token.lifetime)
        #expect(record.jitter == token.jitter)
        #expect(record.expiresAt == token.expiresAt)
        #expect(record.isUnrequested)
        #expect(!record.replacedReported)
        #expect(record.owner == token.owner)
        #expect(record.fingerprintPrefix == token.fingerprint.words[0])
        #expect(record.fingerprint == token.fingerprint)
        #expect(storage.records[class: record.classID].tokenClass == token.tokenClass)
    }

    @Test("The time of the last use is kept in whole microseconds beside the token's length, or as never.")
    func lastUse() throws {
        let record = storage.records[try #require(storage.insert(.of("ann")))]
        #expect(record.lastUsed == TokenRecord.never)
        for (time, kept) in [(1_999, 1_000), (0, 0), (-1, 0), (.max, 281_474_976_710_654_000)] as [(Int64, Int64)] {
            record.lastUsed = time
            #expect(record.lastUsed == kept)
            #expect(record.text == "token-of-ann.")
        }
        record.lastUsed = TokenRecord.never
        #expect(record.lastUsed == TokenRecord.never)
        #expect(record.check == record.load(TokenRecord.Offset.check, UInt32.self))
    }

    @Test("The arrival is kept also if the machine slept for hours after the token was requested.")
    func lateArrival() throws {
        var token = NewToken.of("ann")
        token.arrived = token.sent + 86_400_000_000_000
        let record = storage.records[try #require(storage.insert(token))]
        #expect(record.arrived == token.arrived && record.sent == token.sent && record.lifetime == token.lifetime)
    }

    @Test("A token that is too long for a record is not stored.")
    func tooLong() throws {
        var token = NewToken.of("ann")
        token.token = AccessToken(String(repeating: "x", count: 65_535))
        let record = storage.records[try #require(storage.insert(token))]
        #expect(record.tokenLength == 65_535 && record.accessToken(in: nil) == token.token)
        token.token = AccessToken(String(repeating: "\"", count: 32_768))
        #expect(storage.insert(token) == nil)
    }

    @Test("A token with quotation marks and backslashes is stored as JSON writes it, and comes back as it was.")
    func escapes() throws {
        var token = NewToken.of("ann")
        token.token = AccessToken(#"a"b\c\\"#)
        let record = storage.records[try #require(storage.insert(token))]
        #expect(record.text == #"a\"b\\c\\\\"#)
        #expect(record.accessToken(in: nil) == token.token)
    }

    @Test("A token of the usual size takes 52 bytes beside its own and its user's.")
    func size() throws {
        var token = NewToken.of("a-user-of-12")
        token.token = AccessToken(String(repeating: "x", count: 1_199))
        let id = try #require(storage.insert(token))
        #expect(storage.size(of: id) == 1_264)
        let before = storage.size
        for _ in 0..<20_000 { #expect(storage.insert(token) != nil) }
        #expect((storage.size - before) / 20_000 <= 1_270)
    }

    @Test("Whatever is stored and removed, each record keeps its own bytes.", arguments: 1...8)
    func model(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var model: [RecordID: String] = [:]
        for number in 0..<4_000 {
            let subject = "user-\(number)-" + String(repeating: "u", count: random.below(40))
            let padding = random.once(in: 50) ? random.below(60_000) : random.below(1_500)
            let token = NewToken.of(subject, scope: "scope-\(random.below(50))", padding: padding)
            let id = try #require(storage.insert(token))
            #expect(model[id] == nil)
            model[id] = subject
            if random.once(in: 2), let gone = model.randomElement(using: &random) {
                storage.remove(gone.key)
                model[gone.key] = nil
            }
            #expect(storage.count == model.count)
        }
        for (id, subject) in model {
            let record = storage.records[id]
            #expect(record.subject == subject)
            #expect(record.text.hasPrefix("token-of-\(subject)."))
        }
        for id in model.keys { storage.remove(id) }
        #expect(storage.count == 0)
        #expect(storage.classCount == 0)
        #expect(storage.size == 0, "all memory is returned")
    }
}
