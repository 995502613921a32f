import Foundation
import Secrets
import Synchronization
import Testing
import TokenProtocol

@testable import TokenStorage

@Suite("The growth of the tokens' memory")
struct GrowthTests {
    @Test("However many tokens are stored, their memory is one mapping, or two if not all of it can be locked.")
    func mappings() throws {
        let file = try #require(TokenFile.make(mayBeSecret: false))
        let storage = try #require(TokenStorage(in: file))
        let token = NewToken.of("ann")
        let count = (0..<300_000).count { _ in storage.insert(token) != nil }
        #expect(count == 300_000)
        #expect(storage.size > 20 * AddressRange.part)
        let start = unsafe UInt(bitPattern: storage.records.start)
        let mappings = try mappings(in: start..<start + UInt(storage.size))
        #expect(mappings <= (storage.isLocked ? 1 : 2))
    }

    /// The number of mappings of this process that begin in a range of addresses.
    private func mappings(in range: Range<UInt>) throws -> Int {
        try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n").count { line in
            UInt(line.prefix { $0 != "-" }, radix: 16).map(range.contains) == true
        }
    }

    @Test("Memory that the kernel refuses costs the token that needs it, and nothing else.", arguments: 1...30)
    func refusedCommit(commits: Int) throws {
        let pages = RefusingPages()
        let storage = try #require(TokenStorage(in: pages))
        pages.commits = commits
        var stored: [(id: RecordID, subject: String)] = []
        for number in 0..<200 {
            let subject = "user-\(number)"
            let padding = number % 7 * 3_000
            if let id = storage.insert(.of(subject, scope: "scope-\(number)", padding: padding)) {
                stored.append((id, subject))
            }
        }
        #expect(stored.count < 200)
        #expect(storage.count == stored.count)
        for (id, subject) in stored { #expect(storage.records[id].text.hasPrefix("token-of-\(subject).")) }
        pages.commits = .max
        for number in 0..<200 { #expect(storage.insert(.of("later-\(number)")) != nil) }
        for (id, _) in stored { storage.remove(id) }
    }

    @Test("A mapping that the kernel refuses costs the token that needs it, until the kernel gives it.")
    func refusedMapping() throws {
        let pages = RefusingPages()
        pages.parts = 2
        let storage = try #require(TokenStorage(in: pages))
        var count = 0
        while storage.insert(.of("user-\(count)", padding: 10_000)) != nil { count += 1 }
        #expect(count > 100)
        pages.parts = 1
        #expect(storage.insert(.of("one-more", padding: 10_000)) != nil)
    }

    @Test("Addresses that may belong to something else after a refused mapping are never used again.")
    func lostMapping() throws {
        let pages = RefusingPages()
        (pages.parts, pages.refusal) = (2, .lost)
        let storage = try #require(TokenStorage(in: pages))
        var ids: [RecordID] = []
        while let id = storage.insert(.of("user-\(ids.count)", padding: 10_000)) { ids.append(id) }
        pages.parts = .max
        #expect(storage.insert(.of("one-more", padding: 10_000)) == nil)
        storage.remove(ids[0])
        #expect(storage.insert(.of("one-more", padding: 10_000)) == ids[0])
    }

    @Test("Without memory for its first part there is no storage.")
    func none() {
        let pages = RefusingPages()
        pages.parts = 0
        #expect(TokenStorage(in: pages) == nil)
    }

    @Test("Where the first file can't grow, the tokens go on in a second one, and the next daemon finds all.")
    func secondFile() throws {
        let file = try #require(
            unsafe TokenFile.make(mayBeSecret: false) { file, address, offset, count in
                offset < 2 * AddressRange.part
                    ? unsafe file.map(at: address, offset: offset, count: count) : MapOutcome.refused(.addresses)
            }
        )
        file.setKept(true)
        let storage = try #require(TokenStorage(in: file))
        var ids: [RecordID: String] = [:]
        for number in 0..<400 {
            ids[try #require(storage.insert(.of("user-\(number)", padding: 10_000)))] = "user-\(number)"
        }
        #expect(storage.size > 3 * AddressRange.part)
        #expect(file.stored.map(\.name) == TokenFile.names)
        let files = MemoryFiles(of: file)
        let next = try TokenStorage.next(try files.copy())
        #expect(next.restoreAll() == ids)
        // Without the second file, what is in the first one is found, and there may be another second file.
        let rest = try TokenStorage.next(try files.copy().first)
        let found = rest.restoreAll()
        #expect(found.count > 100)
        #expect(found.allSatisfy { ids[$0.key] == $0.value })
        for number in 0..<200 { #expect(rest.insert(.of("new-\(number)", padding: 10_000)) != nil) }
        for id in ids.keys { storage.remove(id) }
        #expect(try !files.contain("token-of-user"))
    }

    @Test("A file that can't have the first part of the memory gets no second one, where nobody would look.")
    func noFirstPart() throws {
        let refusal = MapOutcome.refused(.addresses)
        let file = try #require(unsafe TokenFile.make(mayBeSecret: false) { _, _, _, _ in refusal })
        #expect(TokenStorage(in: file) == nil)
        #expect(file.stored.map(\.name) == ["tokens-a"])
    }

    // The limit is one of the whole process, so the test has a process of its own.
    @Test("What a limited file can't have is in no file, and the next daemon goes on in a second one.")
    func raisedFileSize() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            try Self.limitFiles(to: 3 * AddressRange.part)
            let file = try #require(TokenFile.make(mayBeSecret: false))
            #expect(file.sizeLimit == 3 * AddressRange.part)
            file.setKept(true)
            let storage = try #require(TokenStorage(in: file))
            var ids: [RecordID: String] = [:]
            let kept = Mutex<[Int]>([])
            file.onAnonymousMemory { bytes in kept.withLock { $0.append(bytes) } }
            for number in 0..<500 {
                ids[try #require(storage.insert(.of("user-\(number)", padding: 10_000)))] = "user-\(number)"
            }
            #expect(kept.withLock(\.self) == [3 * AddressRange.part])
            #expect(file.stored.map(\.name) == ["tokens-a"])
            try Self.limitFiles(to: nil)
            let next = try TokenStorage.next(MemoryFiles(of: file))
            let found = next.restoreAll()
            #expect(found.count > 100 && found.count < 500)
            #expect(found.allSatisfy { ids[$0.key] == $0.value })
            for number in 0..<500 { #expect(next.insert(.of("new-\(number)", padding: 10_000)) != nil) }
            for id in found.keys { next.remove(id) }
        }
    }

    private static func limitFiles(to size: Int?) throws {
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        var limit = rlimit()
        try #require(unsafe getrlimit(resource, &limit) == 0)
        limit.rlim_cur = size.map { rlim_t($0) } ?? limit.rlim_max
        try #require(unsafe setrlimit(resource, &limit) == 0)
    }

    @Test(
        "Half of the addresses that the process may have are left for the heap.",
        arguments: [nil: 65_536, 1 << 20: 65_536, 4_096: 2_048, 3: 1, 0: 1] as [Int?: Int]
    )
    func addresses(limit: Int?, capacity: Int) throws {
        let range = try #require(AddressRange(limit: limit.map { $0 << 20 }, pages: AnonymousPages()))
        #expect(range.capacity == capacity << 20)
    }

    @Test("A second file that belongs to another first file is not used.")
    func foreignSecondFile() throws {
        let (storage, files) = try TokenStorage.kept()
        let (other, otherFiles) = try TokenStorage.kept()
        _ = [storage.insert(.of("ann")), other.insert(.of("bob"))]
        let mixed = MemoryFiles(files.duplicates + otherFiles.duplicates.map { ("tokens-b", $0.descriptor) })
        let file = try #require(mixed.takeOver())
        #expect(file.stored.map(\.name) == ["tokens-a"])
        #expect(try TokenStorage(restoring: file).restoreAll().values.sorted() == ["ann"])
    }

    @Test("The memory of removed tokens is returned to the kernel, and used again.")
    func returned() throws {
        let (storage, _) = try TokenStorage.kept()
        for _ in 0..<3 {
            let ids = (0..<3_000).compactMap { storage.insert(.of("user-\($0)", padding: 1_000)) }
            #expect(ids.count == 3_000)
            #expect(storage.size < 3_000 * 1_200)
            for id in ids { storage.remove(id) }
            #expect(storage.size == 0)
        }
    }
}
