import Glibc
import Secrets
import Testing
import TokenCache
import TokenProtocol

@testable import TokenLog

@Suite("The log of tokens for the next daemon")
struct TokenLogTests {
    private let manager = FakeServiceManager()
    /// The offset of the first record, from the layout in `LogFile`'s comment.
    private static let firstRecord = 64

    @Test("A token comes back whole: its text, its key, its last use and its times.")
    func roundTrip() throws {
        let first = PersistedToken.of("ann", lastUsed: .now - .seconds(150))
        var second = PersistedToken.of("bob", field: .userID, scope: "a b")
        second.isUnrequested = true
        second.replacedReported = true
        let log = try manager.open()
        _ = [log.persist(first), log.persist(second)]
        let read = try manager.open().restored.map(\.token)
        #expect(read.count == 2)
        for (read, written) in zip(read, [first, second]) {
            #expect(read.tenant == written.tenant)
            #expect(read.user == written.user)
            #expect(read.scopes == written.scopes)
            #expect(read.identity == written.identity)
            #expect(read.token.text.copy == written.token.text.copy)
            #expect(read.token.expiresInOffset == written.token.expiresInOffset)
            #expect(read.token.tokenRange == written.token.tokenRange)
            #expect(read.token.fingerprint == written.token.fingerprint)
            #expect(read.token.scope == written.token.scope)
            #expect(read.token.expiresAt == written.token.expiresAt)
            #expect(read.lifetime == written.lifetime)
            #expect(read.jitterFraction == written.jitterFraction)
            #expect(read.isUnrequested == written.isUnrequested)
            #expect(read.replacedReported == written.replacedReported)
            #expect(read.owner == written.owner)
            #expect(isClose(read.sent, written.sent))
            #expect(isClose(read.arrived, written.arrived))
            #expect((read.lastUsed == nil) == (written.lastUsed == nil))
            if let one = read.lastUsed, let other = written.lastUsed { #expect(isClose(one, other)) }
        }
    }

    @Test("A client's own token comes back as that, also without scopes, which a user's token can't be without.")
    func client() throws {
        var tokens = [PersistedToken.of("backend", field: .client), .of("jobs", field: .client), .of("ann")]
        (tokens[1].scopes, tokens[2].scopes) = (.all, .all)
        let log = try manager.open()
        for token in tokens { _ = log.persist(token) }
        let read = try manager.open().restored.map(\.token)
        #expect(read.map(\.user) == tokens[..<2].map(\.user))
        #expect(read.map(\.scopes) == tokens[..<2].map(\.scopes))
    }

    @Test("A token of a kind that only a later version knows is left out, and not taken for another's.")
    func unknownField() throws {
        let log = try manager.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        // The field is at 52 in the content, and a checksum of the content is before it.
        let (content, field) = (Self.firstRecord + LogFile.recordHeadSize, 52)
        try unsafe manager.withBytes(of: "tokens-a") { bytes in
            let end = unsafe Int(bytes.load(fromByteOffset: Self.firstRecord, as: UInt32.self)) + Self.firstRecord
            unsafe bytes.storeBytes(of: 3, toByteOffset: content + field, as: UInt32.self)
            let check = unsafe LogFile.check(UnsafeRawBufferPointer(rebasing: bytes[content..<end]))
            unsafe bytes.storeBytes(of: check, toByteOffset: Self.firstRecord + 16, as: UInt64.self)
        }
        #expect(try manager.subjects() == ["bob"])
    }

    @Test("The last use of a token can be updated later.")
    func use() throws {
        let log = try manager.open()
        let recordID = try #require(log.persist(.of("ann")))
        let time = Instant.now
        log.note(recordID, lastUsed: time)
        let read = try #require(try manager.open().restored.first?.token.lastUsed)
        #expect(isClose(read, time))
    }

    @Test("A dropped record is gone: from the next log, and from the memory itself.")
    func drop() throws {
        let log = try manager.open()
        let recordID = try #require(log.persist(.of("ann")))
        _ = log.persist(.of("bob"))
        #expect(try manager.file("tokens-a", holds: "token-of-ann."))
        log.remove(recordID)
        #expect(try !manager.file("tokens-a", holds: "token-of-ann."))
        #expect(try manager.file("tokens-a", holds: "token-of-bob"))
        #expect(try manager.subjects() == ["bob"])
    }

    @Test("A log goes on in the inherited file, and stores no new one.")
    func goesOn() throws {
        _ = try manager.open().persist(.of("ann"))
        let second = try manager.open()
        #expect(second.currentName == "tokens-a")
        let recordIDs = second.restored.map(\.recordID)
        #expect(manager.stored.isEmpty)
        _ = second.persist(.of("bob"))
        #expect(try manager.subjects() == ["ann", "bob"])
        for recordID in recordIDs { second.remove(recordID) }
        #expect(try manager.subjects() == ["bob"])
    }

    @Test("Tokens are restored in the order of their last use or arrival, and those that aren't taken are dropped.")
    func order() throws {
        let log = try manager.open()
        let now = Instant.now
        for (subject, asked) in [("ann", 10), ("bob", nil), ("cat", 200), ("dan", 50)] {
            _ = log.persist(.of(subject, lastUsed: asked.map { now - .seconds($0) }))
        }
        var seen: [String] = []
        try manager.open().restore { _, token in
            seen.append(token.subject)
            return token.subject != "dan"
        }
        // Bob's token was received 99 s ago.
        #expect(seen == ["cat", "bob", "dan", "ann"])
        #expect(try Set(manager.subjects()) == ["ann", "bob", "cat"])
        #expect(try !manager.file("tokens-a", holds: "token-of-dan"))
    }

    @Test("A record without its length doesn't exist, and the next record takes its offset.")
    func tornRecord() throws {
        let log = try manager.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        try unsafe manager.withBytes(of: "tokens-a") { bytes in
            let second = Self.firstRecord + Int(unsafe bytes.load(fromByteOffset: Self.firstRecord, as: UInt32.self))
            unsafe bytes.storeBytes(of: 0, toByteOffset: second, as: UInt32.self)
        }
        let next = try manager.open()
        #expect(next.restored.map(\.token.subject) == ["ann"])
        #expect(try !manager.file("tokens-a", holds: "token-of-bob."), "what was written of it is gone")
        _ = next.persist(.of("cat"))
        #expect(try manager.subjects() == ["ann", "cat"])
    }

    @Test("A record with any changed bit is left out, and its neighbours are read.")
    func changedRecord() throws {
        let log = try manager.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        let end = try unsafe manager.withBytes(of: "tokens-a") { bytes in
            Self.firstRecord + Int(unsafe bytes.load(fromByteOffset: Self.firstRecord, as: UInt32.self))
        }
        let record = try unsafe manager.withBytes(of: "tokens-a") { unsafe Array($0[Self.firstRecord..<end]) }
        // The state at 4 and the time of the last use at 8 are not covered by the checksum.
        for offset in Self.firstRecord + 16..<end {
            try unsafe manager.withBytes(of: "tokens-a") { bytes in unsafe bytes[offset] ^= 1 }
            #expect(try manager.subjects() == ["bob"], "byte \(offset)")
            #expect(try !manager.file("tokens-a", holds: "of-ann."), "what can't be read is overwritten")
            try unsafe manager.withBytes(of: "tokens-a") { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[Self.firstRecord..<end]).copyBytes(from: record)
            }
        }
        #expect(try manager.subjects() == ["ann", "bob"])
    }

    @Test("Records behind a wrong length are overwritten, and not found again when records match.")
    func hiddenRecord() throws {
        let log = try manager.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        try unsafe manager.withBytes(of: "tokens-a") { bytes in
            unsafe bytes.storeBytes(of: 27, toByteOffset: Self.firstRecord, as: UInt32.self)
        }
        let next = try manager.open()
        #expect(next.restored.isEmpty)
        #expect(try !manager.file("tokens-a", holds: "token-of-bob."))
        // It has the size of ann's, so that bob's would follow.
        _ = next.persist(.of("cat"))
        #expect(try manager.subjects() == ["cat"])
    }

    @Test("A dropped record that a killed daemon could not overwrite is overwritten by the next.")
    func leftDropped() throws {
        let log = try manager.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        // The daemon was killed between the two steps: it had marked ann's record as dropped.
        try unsafe manager.withBytes(of: "tokens-a") { bytes in
            unsafe bytes.storeBytes(of: 2, toByteOffset: Self.firstRecord + 4, as: UInt32.self)
        }
        #expect(try manager.subjects() == ["bob"])
        #expect(try !manager.file("tokens-a", holds: "token-of-ann."))
    }

    @Test("A token with invalid numbers is left out.", arguments: [Double.nan, -0.1, 1, .infinity])
    func wrongNumbers(jitterFraction: Double) throws {
        let log = try manager.open()
        var tokens = [PersistedToken.of("ann"), .of("bob"), .of("cat")]
        tokens[0].jitterFraction = jitterFraction
        tokens[1].lifetime = .zero
        for token in tokens { _ = log.persist(token) }
        #expect(try manager.subjects() == ["cat"])
        #expect(try !manager.file("tokens-a", holds: "token-of-ann."))
    }

    @Test("A length that points outside ends the log there.", arguments: [UInt32.max, 8, 27, 1 << 30])
    func wrongLength(length: UInt32) throws {
        _ = try manager.open().persist(.of("ann"))
        try unsafe manager.withBytes(of: "tokens-a") { bytes in
            unsafe bytes.storeBytes(of: length, toByteOffset: Self.firstRecord, as: UInt32.self)
        }
        #expect(try manager.subjects() == [])
    }

    @Test("A file of another version, or with a damaged head, is not read. A new file replaces it.")
    func wrongHead() throws {
        for offset in 0..<32 {
            let manager = FakeServiceManager()
            _ = try manager.open().persist(.of("ann"))
            try unsafe manager.withBytes(of: "tokens-a") { bytes in
                unsafe bytes[offset] ^= 2
            }
            let next = try manager.open()
            #expect(next.restored.isEmpty, "byte \(offset)")
            #expect(manager.stored.map(\.name) == ["tokens-a"])
            #expect(manager.files.count == 1, "the old one is not kept beside it")
        }
    }

    @Test("Other inherited descriptors are ignored: an empty or short file, a pipe, another name.")
    func strangers() throws {
        var ends: [CInt] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        manager.add(ends[0], named: "tokens-a")
        manager.add(ends[1], named: "tokens-b")
        manager.add(unsafe open("/dev/null", O_RDWR), named: "tokens-a")
        let path = "/dev/shm/tokencached-tests-\(getpid())"
        let file = unsafe open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        unsafe unlink(path)
        manager.add(dup(file), named: "tokens-a")
        #expect(ftruncate(file, 63) == 0)
        manager.add(file, named: "tokens-b")
        let log = try manager.open()
        #expect(log.restored.isEmpty)
        #expect(manager.stored.map(\.generation) == [1])
    }

    @Test("The space of a record is counted, so a file holds no more than its bytes, whatever the size of a token.")
    func sizes() throws {
        let log = try manager.open()
        var subjects: [String] = []
        for size in stride(from: 0, to: 60_000, by: 601) {
            subjects.append("u\(size)")
            #expect(log.persist(.of("u\(size)", padding: size)) != nil)
            manager.finish(log)
        }
        #expect(try manager.subjects() == subjects)
    }

    private func isClose(_ one: Instant, _ other: Instant) -> Bool {
        (one - other) < .milliseconds(1) && (other - one) < .milliseconds(1)
    }
}
