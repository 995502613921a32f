import Secrets
import TestSupport
import Testing
import TokenCache
import TokenLog
import TokenProtocol

@Suite("The log's move to another file")
struct MoveTests {
    private let manager = FakeServiceManager()

    @Test("A full file moves to a larger one under the other name, with all live records and nothing else.")
    func moves() throws {
        let log = try manager.open()
        var recordIDs: [String: Int] = [:]
        for number in 0..<6_000 {
            recordIDs["user-\(number)"] = log.persist(.of("user-\(number)"))
            if number % 3 == 0, let recordID = recordIDs.removeValue(forKey: "user-\(number)") { log.remove(recordID) }
            manager.finish(log)
        }
        #expect(manager.stored.count > 2, "several moves")
        for (index, file) in manager.stored.enumerated() {
            #expect(file.name == TokenLog.names[index % 2])
            #expect(file.generation == UInt64(index) + 1)
            #expect(file.predecessor == (index == 0 ? nil : TokenLog.names[(index + 1) % 2]))
        }
        #expect(manager.files.count == 1)
        #expect(try Set(manager.subjects()) == Set(recordIDs.keys))
    }

    @Test(
        "Whenever the daemon is killed, the next one finds what was persisted and nothing that was dropped.",
        arguments: 1...4
    )
    func killed(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var log = try manager.open()
        var recordIDs: [String: Int] = [:]
        for number in 0..<1_500 {
            let subject = "user-\(number)"
            recordIDs[subject] = log.persist(.of(subject, padding: random.below(3_000)))
            #expect(recordIDs[subject] != nil)
            if random.once(in: 3), let gone = recordIDs.randomElement(using: &random) {
                recordIDs[gone.key] = nil
                log.remove(gone.value)
            }
            // The manager is slow: it carries out one order in the time of some tokens.
            if random.once(in: 12) { manager.step(log) }
            guard random.once(in: 60) else { continue }
            #expect(try manager.subjects().sorted() == recordIDs.keys.sorted(), "seed \(seed), after \(number)")
            guard random.once(in: 4) else { continue }
            log = try manager.open()
            recordIDs = Dictionary(uniqueKeysWithValues: log.restored.map { ($0.token.subject, $0.recordID) })
        }
        #expect(manager.files.count <= 2)
    }

    @Test("A file that waits for the manager has the content of the old one, and later records are in both.")
    func bothAreWritten() throws {
        manager.removesPredecessors = false
        let log = try manager.open()
        let first = try #require(log.persist(.of("ann")))
        // The manager has the new file, and the log doesn't know it yet.
        while manager.files.count < 2 {
            #expect(log.persist(.of("other", padding: 1_000)) != nil)
            manager.step(log)
        }
        _ = log.persist(.of("late"))
        for name in TokenLog.names { #expect(try manager.file(name, holds: "token-of-ann.")) }
        for name in TokenLog.names { #expect(try manager.file(name, holds: "token-of-late.")) }
        log.remove(first)
        for name in TokenLog.names { #expect(try !manager.file(name, holds: "token-of-ann.")) }
    }

    @Test("If the manager doesn't answer and both files are full, a token isn't persisted until there is space again.")
    func fullWithoutAnswer() throws {
        let log = try manager.open()
        var count = 0
        while log.persist(.of("user-\(count)", padding: 10_000)) != nil { count += 1 }
        #expect(log.persist(.of("one-more", padding: 10_000)) == nil)
        #expect(try manager.subjects().allSatisfy { $0.hasPrefix("user-") })
        manager.finish(log)
        #expect(manager.freedSpace)
        #expect(log.persist(.of("one-more", padding: 10_000)) != nil)
        manager.finish(log)
        #expect(try manager.subjects().count == count + 1)
    }

    @Test("A restored token is served from its record's memory, and is overwritten with its last reference.")
    func served() throws {
        _ = try manager.open().persist(.of("ann"))
        let log = try manager.open()
        var ann = log.restored.first?.token
        let text = ann?.token.text.copy
        log.remove(0)
        #expect(ann?.token.text.copy == text, "it can still be answered with by whom it was given to")
        ann = nil
        #expect(try !manager.file("tokens-a", holds: "token-of-ann."))
        #expect(try manager.subjects() == [])
    }

    @Test("A dropped token that was still referenced when its daemon ended is overwritten by the next daemon.")
    func servedToTheEnd() throws {
        _ = try manager.open().persist(.of("ann"))
        let log = try manager.open()
        let restored = log.restored
        log.remove(0)
        #expect(try manager.file("tokens-a", holds: "token-of-ann."))
        #expect(try manager.subjects() == [])
        #expect(try !manager.file("tokens-a", holds: "token-of-ann."))
        #expect(restored.count == 1)
    }

    @Test("A daemon that ends leaves restored tokens to the next.")
    func left() throws {
        _ = try manager.open().persist(.of("ann"))
        for _ in 0..<3 { #expect(try manager.open().restored.count == 1) }
        #expect(try manager.file("tokens-a", holds: "token-of-ann."))
    }

    @Test("A restored token that has moved is overwritten in the old file, too, when it is dropped.")
    func servedAndMoved() throws {
        manager.removesPredecessors = false
        _ = try manager.open().persist(.of("ann"))
        let log = try manager.open()
        var ann = log.restored.first?.token
        while log.currentName == "tokens-a" {
            #expect(log.persist(.of("other", padding: 1_000)) != nil)
            manager.finish(log)
        }
        for name in TokenLog.names { #expect(try manager.file(name, holds: "token-of-ann.")) }
        log.remove(0)
        #expect(try !manager.file("tokens-b", holds: "token-of-ann."))
        #expect(ann != nil)
        ann = nil
        #expect(try !manager.file("tokens-a", holds: "token-of-ann."))
    }

    @Test("A file that has become much too large is replaced by a small one with the next token.")
    func shrinks() throws {
        let log = try manager.open()
        var recordIDs: [Int] = []
        for number in 0..<3_000 {
            recordIDs.append(try #require(log.persist(.of("user-\(number)", padding: 1_000))))
            manager.finish(log)
        }
        let large = try unsafe manager.withBytes(of: log.currentName) { $0.count }
        for recordID in recordIDs.dropLast() { log.remove(recordID) }
        _ = log.persist(.of("ann"))
        manager.finish(log)
        let small = try unsafe manager.withBytes(of: log.currentName) { $0.count }
        #expect(large > 4 * 1_024 * 1_024)
        #expect(small == 1_024 * 1_024)
        #expect(try manager.subjects().sorted() == ["ann", "user-2999"])
    }

    @Test("A log that expects a number of bytes starts with a file for them.")
    func expecting() throws {
        let log = TokenLog(stored: [], in: nil, expecting: 8 * 1_024 * 1_024, store: { #expect($0.generation == 1) })
        let opened = try #require(log)
        for number in 0..<4_000 { #expect(opened.persist(.of("user-\(number)", padding: 1_000)) != nil) }
    }

    @Test("When persisting ends, no record is left.")
    func end() throws {
        _ = try manager.open().persist(.of("ann"))
        let log = try manager.open()
        let restored = log.restored
        _ = log.persist(.of("bob"))
        log.end()
        #expect(try manager.subjects() == [])
        #expect(try !manager.file("tokens-a", holds: "token-of-bob."))
        #expect(restored.count == 1)
    }
}
