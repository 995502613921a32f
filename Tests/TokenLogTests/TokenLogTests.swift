import Glibc
import Secrets
import Testing
import TokenCache
import TokenLog
import TokenProtocol

@Suite("The log of tokens for the next daemon")
struct TokenLogTests {
    private let shelf = DescriptorShelf()
    /// The layout that the log's own comment describes.
    private static let firstRecord = 64

    @Test("All of a token comes back: what is answered, for whom, and when it was asked for and ends.")
    func roundTrip() throws {
        let first = PersistedToken.of("ann", lastAsked: .now - .seconds(150))
        var second = PersistedToken.of("bob", field: .userID, scope: "a b")
        second.cameUnasked = true
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
            #expect(read.cameUnasked == written.cameUnasked)
            #expect(read.replacedReported == written.replacedReported)
            #expect(read.owner == written.owner)
            #expect(isClose(read.sent, written.sent))
            #expect(isClose(read.arrived, written.arrived))
            #expect((read.lastAsked == nil) == (written.lastAsked == nil))
            if let one = read.lastAsked, let other = written.lastAsked { #expect(isClose(one, other)) }
        }
    }

    @Test("When a token was last asked for can be noted later.")
    func use() throws {
        let log = try shelf.open()
        let place = try #require(log.persist(.of("ann")))
        let time = Instant.now
        log.note(place, lastAsked: time)
        let read = try #require(try shelf.open().kept.first?.token.lastAsked)
        #expect(isClose(read, time))
    }

    @Test("What was dropped is gone: from what the next log reads, and from the memory itself.")
    func drop() throws {
        let log = try shelf.open()
        let place = try #require(log.persist(.of("ann")))
        _ = log.persist(.of("bob"))
        #expect(try shelf.file("tokens-a", holds: "token-of-ann."))
        log.remove(place)
        #expect(try !shelf.file("tokens-a", holds: "token-of-ann."))
        #expect(try shelf.file("tokens-a", holds: "token-of-bob"))
        #expect(try shelf.subjects() == ["bob"])
    }

    @Test("A log goes on in the file that it was handed, and nothing is stored anew.")
    func goesOn() throws {
        _ = try shelf.open().persist(.of("ann"))
        let second = try shelf.open()
        #expect(second.currentName == "tokens-a")
        let places = second.kept.map(\.place)
        #expect(shelf.stored.isEmpty)
        _ = second.persist(.of("bob"))
        #expect(try shelf.subjects() == ["ann", "bob"])
        for place in places { second.remove(place) }
        #expect(try shelf.subjects() == ["bob"])
    }

    @Test("The tokens come in the order of their last use, or of their coming, and what isn't taken is dropped.")
    func order() throws {
        let log = try shelf.open()
        let now = Instant.now
        for (subject, asked) in [("ann", 10), ("bob", nil), ("cat", 200), ("dan", 50)] {
            _ = log.persist(.of(subject, lastAsked: asked.map { now - .seconds($0) }))
        }
        var seen: [String] = []
        try shelf.open().restore { _, token in
            seen.append(token.subject)
            return token.subject != "dan"
        }
        // Bob's came 99 s ago.
        #expect(seen == ["cat", "bob", "dan", "ann"])
        #expect(try Set(shelf.subjects()) == ["ann", "bob", "cat"])
        #expect(try !shelf.file("tokens-a", holds: "token-of-dan"))
    }

    @Test("A record whose length was not written yet is not there, and the next one takes its place.")
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

    @Test("A record that was changed by a single bit anywhere is left out, and those around it are read.")
    func changedRecord() throws {
        let log = try shelf.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        let end = try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            Self.firstRecord + Int(unsafe bytes.load(fromByteOffset: Self.firstRecord, as: UInt32.self))
        }
        let record = try unsafe shelf.withBytes(of: "tokens-a") { unsafe Array($0[Self.firstRecord..<end]) }
        // The state at 4 and the time of the last use at 8 are no part of what is checked.
        for place in Self.firstRecord + 16..<end {
            try unsafe shelf.withBytes(of: "tokens-a") { bytes in unsafe bytes[place] ^= 1 }
            #expect(try shelf.subjects() == ["bob"], "byte \(place)")
            #expect(try !shelf.file("tokens-a", holds: "of-ann."), "what can't be read is overwritten")
            try unsafe shelf.withBytes(of: "tokens-a") { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[Self.firstRecord..<end]).copyBytes(from: record)
            }
        }
        #expect(try shelf.subjects() == ["ann", "bob"])
    }

    @Test("What can't be found any more behind a wrong length is overwritten, and not found again when records match.")
    func hiddenRecord() throws {
        let log = try shelf.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            unsafe bytes.storeBytes(of: 27, toByteOffset: Self.firstRecord, as: UInt32.self)
        }
        let next = try shelf.open()
        #expect(next.kept.isEmpty)
        #expect(try !shelf.file("tokens-a", holds: "token-of-bob."))
        // Of the size of ann's, so that bob's would follow.
        _ = next.persist(.of("cat"))
        #expect(try shelf.subjects() == ["cat"])
    }

    @Test("What a daemon that was killed could not overwrite any more is overwritten by the next.")
    func leftDropped() throws {
        let log = try shelf.open()
        _ = [log.persist(.of("ann")), log.persist(.of("bob"))]
        // Killed between the two: it had marked ann's as dropped.
        try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            unsafe bytes.storeBytes(of: 2, toByteOffset: Self.firstRecord + 4, as: UInt32.self)
        }
        #expect(try shelf.subjects() == ["bob"])
        #expect(try !shelf.file("tokens-a", holds: "token-of-ann."))
    }

    @Test("A token whose numbers make no sense is left out.", arguments: [Double.nan, -0.1, 1, .infinity])
    func wrongNumbers(draw: Double) throws {
        let log = try shelf.open()
        var kept = [PersistedToken.of("ann"), .of("bob"), .of("cat")]
        kept[0].jitterFraction = draw
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

    @Test("A file of another version, or with a head that is no head, is not read: a new one takes its place.")
    func wrongHead() throws {
        for place in 0..<32 {
            let shelf = DescriptorShelf()
            _ = try shelf.open().persist(.of("ann"))
            try unsafe shelf.withBytes(of: "tokens-a") { bytes in
                unsafe bytes[place] ^= 2
            }
            let next = try shelf.open()
            #expect(next.kept.isEmpty, "byte \(place)")
            #expect(shelf.stored.map(\.name) == ["tokens-a"])
            #expect(shelf.files.count == 1, "the old one is not kept beside it")
        }
    }

    @Test("What else lies in the store is left alone: a file that is empty or too short, a pipe, another name.")
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

    @Test("A record's room is counted, so a file holds no more than it has bytes, whatever the size of a token.")
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
