import Glibc
import Secrets
import Testing
import TokenCache
import TokenLog
import TokenProtocol

@Suite("The log of tokens for the next daemon")
struct TokenLogTests {
    private let shelf = DescriptorShelf()
    /// The offset of the first record, from the layout in `LogFile`'s comment.
    private static let firstRecord = 64

    @Test("A token comes back whole: its text, its key, its last use and its times.")
    func roundTrip() throws {
        let first = PersistedToken.of("ann", lastUsed: .now - .seconds(150))
        var second = PersistedToken.of("bob", field: .userID, scope: "a b")
        second.isUnrequested = true
        second.replacedReported = true
        let log = try shelf.open()
        _ = [log.persist(first), log.persist(second)]
        let read = try shelf.open().kept.map(\.token)
        #expect(read.count == 2)
        for (read, written) in zip(read, [first, second]) {
            #expect(read.tenant == written.tenant)
            #expect(read.user == written.user)
            #expect(read.scopes == written.scopes)
            #expect(read.identity == written.identity)
            #expect(read.token.text.copy == written.token.text.copy)
            #expect(read.token.split == written.token.split)
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

    @Test("The last use of a token can be updated later.")
    func use() throws {
        let log = try shelf.open()
        let recordID = try #require(log.persist(.of("ann")))
        let time = Instant.now
        log.note(recordID, lastUsed: time)
        let read = try #require(try shelf.open().kept.first?.token.lastUsed)
        #expect(isClose(read, time))
    }

    @Test("A dropped record is gone: from the next log, and from the memory itself.")
    func drop() throws {
        let log = try shelf.open()
        let recordID = try #require(log.persist(.of("ann")))
        _ = log.persist(.of("bob"))
        #expect(try shelf.file("tokens-a", holds: "token-of-ann."))
        log.remove(recordID)
        #expect(try !shelf.file("tokens-a", holds: "token-of-ann."))
        #expect(try shelf.file("tokens-a", holds: "token-of-bob"))
        #expect(try shelf.subjects() == ["bob"])
    }

    @Test("A log goes on in the inherited file, and stores no new one.")
    func goesOn() throws {
        _ = try shelf.open().persist(.of("ann"))
        let second = try shelf.open()
        #expect(second.currentName == "tokens-a")
        let recordIDs = second.kept.map(\.recordID)
        #expect(shelf.stored.isEmpty)
        _ = second.persist(.of("bob"))
        #expect(try shelf.subjects() == ["ann", "bob"])
        for recordID in recordIDs { second.remove(recordID) }
        #expect(try shelf.subjects() == ["bob"])
    }

    @Test("Tokens are restored in the order of their last use or arrival, and those that aren't taken are dropped.")
    func order() throws {
        let log = try shelf.open()
        let now = Instant.now
        for (subject, asked) in [("ann", 10), ("bob", nil), ("cat", 200), ("dan", 50)] {
            _ = log.persist(.of(subject, lastUsed: asked.map { now - .seconds($0) }))
        }
        var seen: [String] = []
        try shelf.open().restore { _, token in
            seen.append(token.subject)
            return token.subject != "dan"
        }
        // Bob's token was received 99 s ago.
        #expect(seen == ["cat", "bob", "dan", "ann"])
        #expect(try Set(shelf.subjects()) == ["ann", "bob", "cat"])
        #expect(try !shelf.file("tokens-a", holds: "token-of-dan"))
    }

    @Test("A record without its length doesn't exist, and the next record takes its offset.")
    func tornRecord() throws {
        let log = try shelf.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            let second = Self.firstRecord + Int(unsafe bytes.load(fromByteOffset: Self.firstRecord, as: UInt32.self))
            unsafe bytes.storeBytes(of: 0, toByteOffset: second, as: UInt32.self)
        }
        let next = try shelf.open()
        #expect(next.kept.map(\.token.subject) == ["ann"])
        #expect(try !shelf.file("tokens-a", holds: "token-of-bob."), "what was written of it is gone")
        _ = next.persist(.of("cat"))
        #expect(try shelf.subjects() == ["ann", "cat"])
    }

    @Test("A record with any changed bit is left out, and its neighbours are read.")
    func changedRecord() throws {
        let log = try shelf.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        let end = try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            Self.firstRecord + Int(unsafe bytes.load(fromByteOffset: Self.firstRecord, as: UInt32.self))
        }
        let record = try unsafe shelf.withBytes(of: "tokens-a") { unsafe Array($0[Self.firstRecord..<end]) }
        // The state at 4 and the time of the last use at 8 are not covered by the checksum.
        for offset in Self.firstRecord + 16..<end {
            try unsafe shelf.withBytes(of: "tokens-a") { bytes in unsafe bytes[offset] ^= 1 }
            #expect(try shelf.subjects() == ["bob"], "byte \(offset)")
            #expect(try !shelf.file("tokens-a", holds: "of-ann."), "what can't be read is overwritten")
            try unsafe shelf.withBytes(of: "tokens-a") { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[Self.firstRecord..<end]).copyBytes(from: record)
            }
        }
        #expect(try shelf.subjects() == ["ann", "bob"])
    }

    @Test("Records behind a wrong length are overwritten, and not found again when records match.")
    func hiddenRecord() throws {
        let log = try shelf.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            unsafe bytes.storeBytes(of: 27, toByteOffset: Self.firstRecord, as: UInt32.self)
        }
        let next = try shelf.open()
        #expect(next.kept.isEmpty)
        #expect(try !shelf.file("tokens-a", holds: "token-of-bob."))
        // It has the size of ann's, so that bob's would follow.
        _ = next.persist(.of("cat"))
        #expect(try shelf.subjects() == ["cat"])
    }

    @Test("A dropped record that a killed daemon could not overwrite is overwritten by the next.")
    func leftDropped() throws {
        let log = try shelf.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        // The daemon was killed between the two steps: it had marked ann's record as dropped.
        try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            unsafe bytes.storeBytes(of: 2, toByteOffset: Self.firstRecord + 4, as: UInt32.self)
        }
        #expect(try shelf.subjects() == ["bob"])
        #expect(try !shelf.file("tokens-a", holds: "token-of-ann."))
    }

    @Test("A token with invalid numbers is left out.", arguments: [Double.nan, -0.1, 1, .infinity])
    func wrongNumbers(jitterFraction: Double) throws {
        let log = try shelf.open()
        var kept = [PersistedToken.of("ann"), .of("bob"), .of("cat")]
        kept[0].jitterFraction = jitterFraction
        kept[1].lifetime = .zero
        for token in kept { _ = log.persist(token) }
        #expect(try shelf.subjects() == ["cat"])
        #expect(try !shelf.file("tokens-a", holds: "token-of-ann."))
    }

    @Test("A length that points outside ends the log there.", arguments: [UInt32.max, 8, 27, 1 << 30])
    func wrongLength(length: UInt32) throws {
        _ = try shelf.open().persist(.of("ann"))
        try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            unsafe bytes.storeBytes(of: length, toByteOffset: Self.firstRecord, as: UInt32.self)
        }
        #expect(try shelf.subjects() == [])
    }

    @Test("A file of another version, or with a damaged head, is not read. A new file replaces it.")
    func wrongHead() throws {
        for offset in 0..<32 {
            let shelf = DescriptorShelf()
            _ = try shelf.open().persist(.of("ann"))
            try unsafe shelf.withBytes(of: "tokens-a") { bytes in
                unsafe bytes[offset] ^= 2
            }
            let next = try shelf.open()
            #expect(next.kept.isEmpty, "byte \(offset)")
            #expect(shelf.stored.map(\.name) == ["tokens-a"])
            #expect(shelf.files.count == 1, "the old one is not kept beside it")
        }
    }

    @Test("Other inherited descriptors are ignored: an empty or short file, a pipe, another name.")
    func strangers() throws {
        var ends: [CInt] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        shelf.add(ends[0], named: "tokens-a")
        shelf.add(ends[1], named: "tokens-b")
        shelf.add(unsafe open("/dev/null", O_RDWR), named: "tokens-a")
        let path = "/dev/shm/tokencached-tests-\(getpid())"
        let file = unsafe open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        unsafe unlink(path)
        shelf.add(dup(file), named: "tokens-a")
        #expect(ftruncate(file, 63) == 0)
        shelf.add(file, named: "tokens-b")
        let log = try shelf.open()
        #expect(log.kept.isEmpty)
        #expect(shelf.stored.map(\.generation) == [1])
    }

    @Test("The space of a record is counted, so a file holds no more than its bytes, whatever the size of a token.")
    func sizes() throws {
        let log = try shelf.open()
        var subjects: [String] = []
        for size in stride(from: 0, to: 60_000, by: 601) {
            subjects.append("u\(size)")
            #expect(log.persist(.of("u\(size)", padding: size)) != nil)
            shelf.finish(log)
        }
        #expect(try shelf.subjects() == subjects)
    }

    private func isClose(_ one: Instant, _ other: Instant) -> Bool {
        (one - other) < .milliseconds(1) && (other - one) < .milliseconds(1)
    }
}
