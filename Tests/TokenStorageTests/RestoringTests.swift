import CLinux
import Glibc
import Secrets
import TestSupport
import Testing
import TokenProtocol

@testable import TokenStorage

@Suite("The tokens of an earlier daemon")
struct RestoringTests {
    @Test("The next daemon finds each token with all that was stored of it, its last use and its owner.")
    func roundTrip() throws {
        let (storage, files) = try TokenStorage.kept()
        var token = NewToken.of("ann", field: .client, scope: "a b")
        token.replacedReported = true
        let first = try #require(storage.insert(token))
        storage.records[first].lastUsed = 5_000_000_000
        storage.records[first].owner = 7
        _ = storage.insert(.of("bob"))
        let next = try TokenStorage.next(files)
        let found = next.restoreAll()
        #expect(found.values.sorted() == ["ann", "bob"])
        #expect(next.count == 2)
        let record = next.records[try #require(found.first { $0.value == "ann" }?.key)]
        #expect(record.field == .client)
        #expect(record.text == "token-of-ann.")
        #expect(record.fingerprint == token.fingerprint)
        #expect(record.sent == token.sent)
        #expect(record.arrived == token.arrived)
        #expect(record.lastUsed == 5_000_000_000)
        #expect(record.lifetime == token.lifetime)
        #expect(record.jitter == token.jitter)
        #expect(record.expiresAt == token.expiresAt)
        #expect(record.owner == 7)
        #expect(record.replacedReported)
        #expect(!record.isUnrequested)
        #expect(next.records[class: record.classID].tokenClass == token.tokenClass)
    }

    @Test("A secret file is taken over like an ordinary one, where the kernel has them.")
    func secret() throws {
        let file = try #require(TokenFile.make())
        file.setKept(true)
        var shortages = 0
        let storage = try #require(TokenStorage(in: file) { _ in shortages += 1 })
        for number in 0..<2_000 { #expect(storage.insert(.of("user-\(number)")) != nil) }
        let found = try TokenStorage.next(MemoryFiles(of: file)).restoreAll()
        #expect(Set(found.values) == Set((0..<2_000).map { "user-\($0)" }))
        #expect(storage.isLocked == (shortages == 0))
        if file.isLocked(at: 0) { #expect(storage.isLocked, "a secret file is locked by itself") }
    }

    @Test("A file that its daemon didn't want to keep is not read, nor is one that it wanted to keep only for a time.")
    func mark() throws {
        let file = try #require(TokenFile.make(mayBeSecret: false))
        let storage = try #require(TokenStorage(in: file))
        _ = storage.insert(.of("ann"))
        let files = MemoryFiles(of: file)
        #expect(files.takeOver() == nil)
        file.setKept(true)
        #expect(try TokenStorage.next(files).restoreAll().values.sorted() == ["ann"])
        file.setKept(false)
        #expect(files.takeOver() == nil)
    }

    @Test("Whatever happens before a kill, the next daemon finds the tokens that were there.", arguments: 1...4)
    func killed(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var (storage, files) = try TokenStorage.kept()
        var model: [RecordID: String] = [:]
        for number in 0..<1_500 {
            let subject = "user-\(number)"
            let scope = "scope-\(random.below(40))"
            let id = try #require(storage.insert(.of(subject, scope: scope, padding: random.below(3_000))))
            model[id] = subject
            if random.once(in: 2), let gone = model.randomElement(using: &random) {
                storage.remove(gone.key)
                model[gone.key] = nil
            }
            guard random.once(in: 100) else { continue }
            // The killed daemon's files go on in the next one, which may be killed while it restores.
            files = try files.copy()
            if random.once(in: 2) {
                try TokenStorage.next(files).restoreNext(random.below(1_000), now: 10_000_000_000) { _ in true }
                files = try files.copy()
            }
            storage = try TokenStorage.next(files)
            #expect(storage.restoreAll(slice: 1 + random.below(300)) == model, "seed \(seed), after \(number)")
            #expect(storage.count == model.count)
        }
        for (id, subject) in model { #expect(storage.records[id].text.hasPrefix("token-of-\(subject).")) }
        for id in model.keys { storage.remove(id) }
        #expect(storage.classCount == 0)
        #expect(storage.size == 0)
        #expect(try !files.contain("token-of-user-"), "all that was removed is overwritten")
    }

    @Test("Tokens are stored and removed while an earlier daemon's are restored, and none is restored twice.")
    func meanwhile() throws {
        let (storage, files) = try TokenStorage.kept()
        for number in 0..<2_000 { _ = storage.insert(.of("old-\(number)", scope: "s\(number % 300)")) }
        let next = try TokenStorage.next(files)
        var (found, new): ([RecordID: String], [RecordID: String]) = ([:], [:])
        var number = 0
        while next.isRestoring {
            next.restoreNext(10, now: 10_000_000_000) { id in
                #expect(new[id] == nil)
                #expect(found.updateValue(next.records[id].subject, forKey: id) == nil)
                return true
            }
            number += 1
            let id = try #require(next.insert(.of("new-\(number)", scope: "s\(number % 400)")))
            #expect(found[id] == nil)
            new[id] = "new-\(number)"
            if number % 3 == 0, let gone = found.popFirst() { next.remove(gone.key) }
            if number % 5 == 0, let gone = new.popFirst() { next.remove(gone.key) }
        }
        #expect(next.count == found.count + new.count)
        for (id, subject) in found.merging(new, uniquingKeysWith: { first, _ in first }) {
            #expect(next.records[id].text == "token-of-\(subject).")
        }
        for id in Array(found.keys) + Array(new.keys) { next.remove(id) }
        #expect(next.classCount == 0)
        #expect(next.size == 0)
    }

    @Test("A class goes with its last token also while unused classes are searched.", arguments: 0..<5)
    func lastOfClass(steps: Int) throws {
        let (storage, files) = try TokenStorage.kept()
        // Each of these classes is in a region of its own.
        for length in [1, 100, 200, 300] {
            _ = storage.insert(.of("ann", scope: String(repeating: "s", count: length)))
        }
        let next = try TokenStorage.next(files)
        var found: [RecordID] = []
        let take = { (id: RecordID) in
            found.append(id)
            return true
        }
        while next.restoration?.mayFindTokens == true { next.restoreNext(1, now: 10_000_000_000, to: take) }
        for _ in 0..<steps { next.restoreNext(1, now: 10_000_000_000, to: take) }
        #expect(found.count == 4)
        for id in found { next.remove(id) }
        while next.isRestoring { next.restoreNext(1, now: 10_000_000_000, to: take) }
        #expect(next.classCount == 0)
        #expect(next.size == 0)
    }

    @Test("A token that isn't wanted is removed and overwritten.")
    func unwanted() throws {
        let (storage, files) = try TokenStorage.kept()
        for subject in ["ann", "bob"] { _ = storage.insert(.of(subject)) }
        let next = try TokenStorage.next(files)
        while next.isRestoring {
            next.restoreNext(100, now: 10_000_000_000) { next.records[$0].subject == "ann" }
        }
        #expect(next.count == 1)
        #expect(try !files.contain("token-of-bob"))
        #expect(try files.contain("token-of-ann"))
    }

    @Test("A removed token is overwritten in the file at once.")
    func overwritten() throws {
        let (storage, files) = try TokenStorage.kept()
        let ids = try ["ann", "bob"].map { try #require(storage.insert(.of($0))) }
        for subject in ["ann", "bob"] { #expect(try files.contain("token-of-\(subject).")) }
        storage.remove(ids[0])
        #expect(try !files.contain("token-of-ann."))
        #expect(try files.contain("token-of-bob."))
        #expect(try TokenStorage.next(files).restoreAll().values.sorted() == ["bob"])
    }

    @Test("A record with any changed bit that its daemon doesn't change is left out, and its neighbours are read.")
    func changedRecord() throws {
        let (storage, files) = try TokenStorage.kept()
        let ids = try ["ann", "bob"].map { try #require(storage.insert(.of($0))) }
        let end = TokenRecord.Offset.content + "ann".utf8.count + "token-of-ann.".utf8.count
        // The last use at 8 and the owner at 16 change, and each value of them is one. The token's length at 14 does not.
        for offset in [0..<8, 14..<16, 20..<end].joined() {
            let changed = try files.copy()
            try unsafe changed.withBytes { unsafe $0[ids[0].offset + offset] ^= 1 }
            #expect(try TokenStorage.next(changed).restoreAll().values.sorted() == ["bob"], "byte \(offset)")
            #expect(try !changed.contain("of-ann."), "what can't be read is overwritten")
        }
        #expect(try TokenStorage.next(files).restoreAll().values.sorted() == ["ann", "bob"])
    }

    @Test("A token of a kind that only a later version knows is left out, and not taken for another's.")
    func unknownField() throws {
        let (storage, files) = try TokenStorage.kept()
        let ids = try ["ann", "bob"].map { try #require(storage.insert(.of($0))) }
        let record = storage.records[ids[0]]
        record.store(UInt8(9), TokenRecord.Offset.fieldAndFlags)
        record.store(record.check, TokenRecord.Offset.check)
        #expect(try TokenStorage.next(files).restoreAll().values.sorted() == ["bob"])
    }

    @Test("A token with numbers that none has is left out.")
    func wrongNumbers() throws {
        let (storage, files) = try TokenStorage.kept()
        var tokens = (0..<4).map { NewToken.of("user-\($0)") }
        tokens[0].lifetime = 0
        tokens[1].sent = -1
        tokens[2].arrived = 10_000_001_000
        for token in tokens { _ = storage.insert(token) }
        #expect(try TokenStorage.next(files).restoreAll().values.sorted() == ["user-3"])
    }

    @Test("A token that was not finished, or not yet overwritten, is overwritten.", arguments: [1, 4, 5, 255])
    func halfWritten(state: UInt8) throws {
        let (storage, files) = try TokenStorage.kept()
        let ids = try ["ann", "bob"].map { try #require(storage.insert(.of($0))) }
        storage.records[ids[0]].store(state, 0)
        #expect(try TokenStorage.next(files).restoreAll().values.sorted() == ["bob"])
        #expect(try !files.contain("of-ann."))
    }

    @Test("A token whose class is damaged is left out.")
    func damagedClass() throws {
        let (storage, files) = try TokenStorage.kept()
        _ = storage.insert(.of("ann", scope: "one"))
        let bob = try #require(storage.insert(.of("bob", scope: "two")))
        let classID = storage.records[bob].classID
        try unsafe files.withBytes { unsafe $0[classID.offset + ClassRecord.Offset.lengths] ^= 1 }
        #expect(try TokenStorage.next(files).restoreAll().values.sorted() == ["ann"])
        #expect(try !files.contain("token-of-bob."))
    }

    @Test("A region with a damaged head is overwritten and used again.", arguments: 0..<16)
    func damagedRegion(offset: Int) throws {
        let (storage, files) = try TokenStorage.kept()
        let ann = try #require(storage.insert(.of("ann")))
        let large = try #require(storage.insert(.of("bob", padding: 10_000)))
        #expect(ann.offset / Region.size != large.offset / Region.size)
        try unsafe files.withBytes { unsafe $0[ann.offset / Region.size * Region.size + offset] ^= 1 }
        let next = try TokenStorage.next(files)
        #expect(next.restoreAll().values.sorted() == ["bob"])
        #expect(try !files.contain("of-ann."))
        #expect(next.insert(.of("cat")) != nil)
    }

    @Test("A file of another version, or with a damaged head, is not read.", arguments: 0..<48)
    func wrongHead(offset: Int) throws {
        let (storage, files) = try TokenStorage.kept()
        _ = storage.insert(.of("ann"))
        try unsafe files.withBytes { unsafe $0[offset] ^= 2 }
        #expect(files.takeOver() == nil)
    }

    @Test("Other inherited descriptors are ignored: an empty or short file, a pipe, a device, another name.")
    func strangers() throws {
        var ends: [CInt] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        let empty = memfd("empty")
        let short = memfd("short")
        #expect(ftruncate(short, 63) == 0)
        let (storage, files) = try TokenStorage.kept()
        _ = storage.insert(.of("ann"))
        let strangers = MemoryFiles([
            ("tokens-a", ends[0]), ("tokens-b", ends[1]), ("tokens-a", unsafe open("/dev/null", O_RDWR)),
            ("tokens-a", empty), ("tokens-a", short), ("tokens", dup(files.stored[0].descriptor)),
        ])
        #expect(strangers.takeOver() == nil)
    }

    private func memfd(_ name: String) -> CInt { unsafe create_memory_file(name) }
}
