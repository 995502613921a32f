import Secrets
import TestSupport
import Testing
import TokenCache
import TokenLog
import TokenProtocol

@Suite("The log's way to a larger file")
struct MoveTests {
    private let shelf = DescriptorShelf()

    @Test("A file that fills up moves to a larger one under the other name, with all that is live and nothing else.")
    func moves() throws {
        let log = try shelf.open()
        var places: [String: Int] = [:]
        for number in 0..<6_000 {
            places["user-\(number)"] = log.persist(.of("user-\(number)"))
            if number % 3 == 0, let place = places.removeValue(forKey: "user-\(number)") { log.remove(place) }
            shelf.finish(log)
        }
        #expect(shelf.stored.count > 2, "several moves")
        for (index, file) in shelf.stored.enumerated() {
            #expect(file.name == TokenLog.names[index % 2])
            #expect(file.generation == UInt64(index) + 1)
            #expect(file.predecessor == (index == 0 ? nil : TokenLog.names[(index + 1) % 2]))
        }
        #expect(shelf.files.count == 1)
        #expect(try Set(shelf.subjects()) == Set(places.keys))
    }

    @Test(
        "Whenever the daemon is killed, the next one finds what was kept and nothing that was dropped.",
        arguments: 1...4
    )
    func killed(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var log = try shelf.open()
        var places: [String: Int] = [:]
        for number in 0..<1_500 {
            let subject = "user-\(number)"
            places[subject] = log.persist(.of(subject, padding: random.below(3_000)))
            #expect(places[subject] != nil)
            if random.once(in: 3), let gone = places.randomElement(using: &random) {
                places[gone.key] = nil
                log.remove(gone.value)
            }
            // The manager is slow: it takes some tokens' time for each thing that it is told.
            if random.once(in: 12) { shelf.step(log) }
            guard random.once(in: 60) else { continue }
            #expect(try shelf.subjects().sorted() == places.keys.sorted(), "seed \(seed), after \(number)")
            guard random.once(in: 4) else { continue }
            log = try shelf.open()
            places = Dictionary(uniqueKeysWithValues: log.kept.map { ($0.token.subject, $0.place) })
        }
        #expect(shelf.files.count <= 2)
    }

    @Test("A file that waits for the manager holds what the old one holds, and what comes meanwhile is in both.")
    func bothAreWritten() throws {
        shelf.removesPredecessors = false
        let log = try shelf.open()
        let first = try #require(log.persist(.of("ann")))
        // The manager has the new file, and the log doesn't know it yet.
        while shelf.files.count < 2 {
            #expect(log.persist(.of("other", padding: 1_000)) != nil)
            shelf.step(log)
        }
        _ = log.persist(.of("late"))
        for name in TokenLog.names { #expect(try shelf.file(name, holds: "token-of-ann.")) }
        for name in TokenLog.names { #expect(try shelf.file(name, holds: "token-of-late.")) }
        log.remove(first)
        for name in TokenLog.names { #expect(try !shelf.file(name, holds: "token-of-ann.")) }
    }

    @Test("Where the manager doesn't answer and both files are full, a token isn't kept, until there is room again.")
    func fullWithoutAnswer() throws {
        let log = try shelf.open()
        var count = 0
        while log.persist(.of("user-\(count)", padding: 10_000)) != nil { count += 1 }
        #expect(log.persist(.of("one-more", padding: 10_000)) == nil)
        #expect(try shelf.subjects().allSatisfy { $0.hasPrefix("user-") })
        shelf.finish(log)
        #expect(shelf.madeRoom)
        #expect(log.persist(.of("one-more", padding: 10_000)) != nil)
        shelf.finish(log)
        #expect(try shelf.subjects().count == count + 1)
    }

    @Test("A token that was taken over is served from where it lies, and goes with the last one who has it.")
    func served() throws {
        _ = try shelf.open().persist(.of("ann"))
        let log = try shelf.open()
        var ann = log.kept.first?.token
        let text = ann?.token.text.copy
        log.remove(0)
        #expect(ann?.token.text.copy == text, "it can still be answered with by whom it was given to")
        ann = nil
        #expect(try !shelf.file("tokens-a", holds: "token-of-ann."))
        #expect(try shelf.subjects() == [])
    }

    @Test("A dropped token that somebody still had when its daemon ended is overwritten by the next daemon.")
    func servedToTheEnd() throws {
        _ = try shelf.open().persist(.of("ann"))
        let log = try shelf.open()
        let kept = log.kept
        log.remove(0)
        #expect(try shelf.file("tokens-a", holds: "token-of-ann."))
        #expect(try shelf.subjects() == [])
        #expect(try !shelf.file("tokens-a", holds: "token-of-ann."))
        #expect(kept.count == 1)
    }

    @Test("A daemon that ends leaves what it was handed to the next.")
    func left() throws {
        _ = try shelf.open().persist(.of("ann"))
        for _ in 0..<3 { #expect(try shelf.open().kept.count == 1) }
        #expect(try shelf.file("tokens-a", holds: "token-of-ann."))
    }

    @Test("What was taken over and has moved is overwritten in the old file, too, when it is dropped.")
    func servedAndMoved() throws {
        shelf.removesPredecessors = false
        _ = try shelf.open().persist(.of("ann"))
        let log = try shelf.open()
        var ann = log.kept.first?.token
        while log.currentName == "tokens-a" {
            #expect(log.persist(.of("other", padding: 1_000)) != nil)
            shelf.finish(log)
        }
        for name in TokenLog.names { #expect(try shelf.file(name, holds: "token-of-ann.")) }
        log.remove(0)
        #expect(try !shelf.file("tokens-b", holds: "token-of-ann."))
        #expect(ann != nil)
        ann = nil
        #expect(try !shelf.file("tokens-a", holds: "token-of-ann."))
    }

    @Test("A file that has become much too large gives way to a small one with the next token.")
    func shrinks() throws {
        let log = try shelf.open()
        var places: [Int] = []
        for number in 0..<3_000 {
            places.append(try #require(log.persist(.of("user-\(number)", padding: 1_000))))
            shelf.finish(log)
        }
        let large = try unsafe shelf.withBytes(of: log.currentName) { $0.count }
        for place in places.dropLast() { log.remove(place) }
        _ = log.persist(.of("ann"))
        shelf.finish(log)
        let small = try unsafe shelf.withBytes(of: log.currentName) { $0.count }
        #expect(large > 4 * 1_024 * 1_024)
        #expect(small == 1_024 * 1_024)
        #expect(try shelf.subjects().sorted() == ["ann", "user-2999"])
    }

    @Test("A log that is told what will come begins with a file that holds it.")
    func expecting() throws {
        let log = TokenLog(stored: [], in: nil, expecting: 8 * 1_024 * 1_024, store: { #expect($0.generation == 1) })
        let opened = try #require(log)
        for number in 0..<4_000 { #expect(opened.persist(.of("user-\(number)", padding: 1_000)) != nil) }
    }

    @Test("When keeping ends, nothing is left of what was kept.")
    func end() throws {
        _ = try shelf.open().persist(.of("ann"))
        let log = try shelf.open()
        let kept = log.kept
        _ = log.persist(.of("bob"))
        log.end()
        #expect(try shelf.subjects() == [])
        #expect(try !shelf.file("tokens-a", holds: "token-of-bob."))
        #expect(kept.count == 1)
    }
}
