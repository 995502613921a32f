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
        let first = kept("ann", lastAsked: .now - .seconds(150))
        var second = kept("bob", field: .userID, scope: "a b")
        second.cameUnasked = true
        second.replacedReported = true
        let log = try shelf.open()
        _ = [log.keep(first), log.keep(second)]
        let read = try shelf.open().kept.map(\.token)
        #expect(read.count == 2)
        for (read, written) in zip(read, [first, second]) {
            #expect(read.key == written.key)
            #expect(read.identity == written.identity)
            #expect(read.token.text.copy == written.token.text.copy)
            #expect(read.token.split == written.token.split)
            #expect(read.token.tokenRange == written.token.tokenRange)
            #expect(read.token.fingerprint == written.token.fingerprint)
            #expect(read.token.scope == written.token.scope)
            #expect(read.token.expiresAt == written.token.expiresAt)
            #expect(read.lifetime == written.lifetime)
            #expect(read.draw == written.draw)
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
        let place = try #require(log.keep(kept("ann")))
        let time = Instant.now
        log.note(place, lastAsked: time)
        let read = try #require(try shelf.open().kept.first?.token.lastAsked)
        #expect(isClose(read, time))
    }

    @Test("What was dropped is gone: from what the next log reads, and from the memory itself.")
    func drop() throws {
        let log = try shelf.open()
        let place = try #require(log.keep(kept("ann")))
        _ = log.keep(kept("bob"))
        #expect(try shelf.file("tokens-a", holds: "token-of-ann"))
        log.drop(place)
        #expect(try !shelf.file("tokens-a", holds: "token-of-ann"))
        #expect(try shelf.file("tokens-a", holds: "token-of-bob"))
        #expect(try subjects() == ["bob"])
    }

    @Test("A log goes on in the file that it was handed, and nothing is stored anew.")
    func goesOn() throws {
        _ = try shelf.open().keep(kept("ann"))
        let second = try shelf.open()
        #expect(second.currentName == "tokens-a")
        let places = second.kept.map(\.place)
        #expect(shelf.stored.isEmpty)
        _ = second.keep(kept("bob"))
        #expect(try subjects() == ["ann", "bob"])
        for place in places { second.drop(place) }
        #expect(try subjects() == ["bob"])
    }

    @Test("The tokens come in the order of their last use, or of their coming, and what isn't taken is dropped.")
    func order() throws {
        let log = try shelf.open()
        let now = Instant.now
        for (subject, asked) in [("ann", 10), ("bob", nil), ("cat", 200), ("dan", 50)] {
            _ = log.keep(kept(subject, lastAsked: asked.map { now - .seconds($0) }))
        }
        var seen: [String] = []
        try shelf.open().handOver { _, token in
            seen.append(token.subject)
            return token.subject != "dan"
        }
        // Bob's came 99 s ago.
        #expect(seen == ["cat", "bob", "dan", "ann"])
        #expect(try Set(subjects()) == ["ann", "bob", "cat"])
        #expect(try !shelf.file("tokens-a", holds: "token-of-dan"))
    }

    @Test("A file that is full moves to a larger one under the other name, with all that is live and nothing else.")
    func moves() throws {
        let log = try shelf.open()
        var places: [String: Int] = [:]
        for number in 0..<6_000 {
            places["user-\(number)"] = log.keep(kept("user-\(number)"))
            if number % 3 == 0, let place = places.removeValue(forKey: "user-\(number)") { log.drop(place) }
        }
        #expect(shelf.stored.count > 2, "several moves")
        for (index, file) in shelf.stored.enumerated() {
            #expect(file.name == TokenLog.names[index % 2])
            #expect(file.generation == UInt64(index) + 1)
            #expect(file.predecessor == (index == 0 ? nil : TokenLog.names[(index + 1) % 2]))
        }
        #expect(shelf.files.count == 1)
        #expect(try Set(subjects()) == Set(places.keys))
    }

    @Test("Where both files were left, the later one counts, and a drop in between reached them both.")
    func twoFiles() throws {
        shelf.removesPredecessors = false
        let log = try shelf.open()
        let place = try #require(log.keep(kept("ann")))
        var count = 0
        while shelf.files.count < 2, count < 10_000 {
            count += 1
            _ = log.keep(kept("user-\(count)"))
        }
        for name in TokenLog.names { #expect(try shelf.file(name, holds: "token-of-ann")) }
        log.drop(place)
        for name in TokenLog.names { #expect(try !shelf.file(name, holds: "token-of-ann")) }
        _ = log.keep(kept("last"))
        let next = try shelf.open()
        #expect(next.currentName == "tokens-b")
        let subjects = next.kept.map(\.token.subject)
        #expect(subjects.contains("last"))
        #expect(subjects.count == count + 1)
    }

    @Test("A file that is known to be gone is no longer written.")
    func forgetsEarlierFiles() throws {
        shelf.removesPredecessors = false
        let log = try shelf.open()
        let place = try #require(log.keep(kept("ann")))
        for number in 0..<10_000 where shelf.files.count < 2 { _ = log.keep(kept("user-\(number)")) }
        log.stored(2)
        log.drop(place)
        #expect(try shelf.file("tokens-a", holds: "token-of-ann"), "the manager has dropped it, so nobody can see it")
        #expect(try !shelf.file("tokens-b", holds: "token-of-ann"))
    }

    @Test("A record whose length was not written yet is not there, and the next one takes its place.")
    func tornRecord() throws {
        let log = try shelf.open()
        _ = [log.keep(kept("ann")), log.keep(kept("bob"))]
        try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            let second = Self.firstRecord + Int(unsafe bytes.load(fromByteOffset: Self.firstRecord, as: UInt32.self))
            unsafe bytes.storeBytes(of: 0, toByteOffset: second, as: UInt32.self)
        }
        let next = try shelf.open()
        #expect(next.kept.map(\.token.subject) == ["ann"])
        _ = next.keep(kept("cat"))
        #expect(try subjects() == ["ann", "cat"])
    }

    @Test("A record that was changed by a single bit anywhere is left out, and those around it are read.")
    func changedRecord() throws {
        let log = try shelf.open()
        _ = [log.keep(kept("ann")), log.keep(kept("bob"))]
        let end = try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            Self.firstRecord + Int(unsafe bytes.load(fromByteOffset: Self.firstRecord, as: UInt32.self))
        }
        // The state at 4 and the time of the last use at 8 are no part of what is checked.
        for place in Self.firstRecord + 16..<end {
            try flip(place)
            #expect(try subjects() == ["bob"], "byte \(place)")
            try flip(place)
        }
        #expect(try subjects() == ["ann", "bob"])
    }

    @Test("A length that points outside ends the log there.", arguments: [UInt32.max, 8, 27, 1 << 30])
    func wrongLength(length: UInt32) throws {
        _ = try shelf.open().keep(kept("ann"))
        try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            unsafe bytes.storeBytes(of: length, toByteOffset: Self.firstRecord, as: UInt32.self)
        }
        #expect(try subjects() == [])
    }

    @Test("A file of another version, or with a head that is no head, is not read: a new one takes its place.")
    func wrongHead() throws {
        for place in 0..<32 {
            let shelf = DescriptorShelf()
            _ = try shelf.open().keep(kept("ann"))
            try unsafe shelf.withBytes(of: "tokens-a") { bytes in
                unsafe bytes[place] ^= 2
            }
            let next = try shelf.open()
            #expect(next.kept.isEmpty, "byte \(place)")
            #expect(shelf.stored.map(\.name) == ["tokens-a"])
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
            #expect(log.keep(kept("u\(size)", padding: size)) != nil)
        }
        #expect(try self.subjects() == subjects)
    }

    private func subjects() throws -> [String] { try shelf.open().kept.map(\.token.subject) }

    private func flip(_ place: Int) throws {
        try unsafe shelf.withBytes(of: "tokens-a") { bytes in
            unsafe bytes[place] ^= 1
        }
    }

    private func isClose(_ one: Instant, _ other: Instant) -> Bool {
        (one - other) < .milliseconds(1) && (other - one) < .milliseconds(1)
    }

    private func kept(
        _ subject: String,
        field: LookupField = .subject,
        scope: String = "user_default",
        lastAsked: Instant? = nil,
        padding: Int = 0
    ) -> KeptToken {
        let token = AccessToken("token-of-\(subject)" + String(repeating: "x", count: padding))
        return KeptToken(
            key: TokenKey(
                tenant: "main",
                user: UserLookup(field: field, value: subject),
                scopes: ScopeSet(scope) ?? ScopeSet.test
            ),
            identity: .init(host: "https://one.example", clientID: "client"),
            token: EncodedToken(accessToken: token, scope: scope, expiresAt: "2026-11-24T12:00:00Z"),
            sent: .now - .seconds(100),
            lifetime: .milliseconds(21_600_500),
            draw: 0.25,
            arrived: .now - .seconds(99),
            lastAsked: lastAsked,
            cameUnasked: false,
            replacedReported: false,
            owner: 1_000
        )
    }
}

extension ScopeSet {
    /// Takes the place of a scope that a test misspelt, so that its expectation fails and not the test process.
    fileprivate static let test = [ScopeSet("misspelt")].compactMap(\.self)[0]
}

extension KeptToken {
    fileprivate var subject: String { String(decoding: key.user.user.value, as: UTF8.self) }
}

extension TokenLog {
    /// All that the log hands over.
    fileprivate var kept: [(place: Int, token: KeptToken)] {
        var kept: [(place: Int, token: KeptToken)] = []
        handOver { place, token in
            kept.append((place, token))
            return true
        }
        return kept
    }
}

extension SecretBytes {
    fileprivate var copy: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
