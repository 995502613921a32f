import Testing

@testable import TokenCacheClient

@Suite("How the Swift client splits a prefetch")
struct PrefetchTests {
    private func parts(_ users: [String], scope: String? = nil) throws -> [[String]] {
        var request = ClientRequest("prefetch", scope: scope)
        request.userIDs = users
        return try request.parts().map { part in
            // Each can be sent, and has the rest of the request.
            _ = try RequestLine(part)
            #expect(part.operation == "prefetch")
            #expect(part.scope == scope)
            #expect(part.subjects == nil)
            return part.userIDs ?? []
        }
    }

    private func length(_ users: [String], scope: String? = nil) throws -> Int {
        var request = ClientRequest("prefetch", scope: scope)
        request.userIDs = users
        return try RequestLine.encode(request).count
    }

    @Test("A thousand users go in one request, and more in several.", arguments: [0, 1, 1_000, 1_001, 2_500])
    func many(count: Int) throws {
        let users = (0..<count).map { "user \($0)" }
        let parts = try parts(users)
        #expect(parts.flatMap(\.self) == users)
        #expect(parts.count == max(1, (count + 999) / 1_000))
        #expect(parts.dropLast().allSatisfy { $0.count == 1_000 })
    }

    @Test(
        "Each request is as long as it can be, whatever the ids take as JSON.",
        arguments: ["a", "\"", "\u{1}", "ü", "🂡", "/"]
    )
    func long(character: String) throws {
        let users = (0..<400).map { String(repeating: character, count: 500 + $0) }
        let parts = try parts(users, scope: "a b")
        #expect(parts.flatMap(\.self) == users)
        for (part, next) in zip(parts, parts.dropFirst()) {
            #expect(try length(part, scope: "a b") <= RequestLine.longest)
            #expect(try length(part + next.prefix(1), scope: "a b") > RequestLine.longest)
        }
    }

    @Test("Users that fill a line to its last byte go in one, and with one byte more in two.")
    func exact() throws {
        let room = RequestLine.longest - (try length(["", ""]))
        #expect(try parts(["a", String(repeating: "b", count: room - 1)]).count == 1)
        #expect(try parts(["a", String(repeating: "b", count: room)]).count == 2)
    }

    @Test("A user who fits into no line is refused before anything is asked.")
    func tooLong() async throws {
        let client = TokenCacheClient(path: "/none")
        do {
            _ = try await client.prefetch(subjects: ["a", String(repeating: "b", count: 65_536)])
            Issue.record("it was sent")
        } catch let error as TokenCacheError { #expect(error.code == .invalidRequest) }
    }

    @Test("Both kinds of users, and none, are the daemon's to refuse.")
    func both() throws {
        var request = ClientRequest("prefetch")
        #expect(try request.parts().count == 1)
        request.subjects = Array(repeating: "a", count: 2_000)
        request.userIDs = ["b"]
        let parts = try request.parts()
        #expect(parts.count == 1)
        #expect(parts.first?.subjects?.count == 2_000)
    }

    @Test("The answer is the sum of the parts'.")
    func sum() async throws {
        let server = try await ScriptedServer {
            .send([#"{"id":\#($0.id),"queued":\#($0.id),"cached":10,"refused":100}"# + "\n"])
        }
        let client = TokenCacheClient(path: server.path)
        let found = try await client.prefetch(subjects: Array(repeating: "a", count: 2_001))
        #expect(found == Prefetch(queued: 1 + 2 + 3, cached: 30, refused: 300))
        await client.close()
        try await server.stop()
    }

    @Test("Numbers whose sum is none are no answer.")
    func overflow() async throws {
        let server = try await ScriptedServer {
            .send([#"{"id":\#($0.id),"queued":\#(Int.max),"cached":0}"# + "\n"])
        }
        let client = TokenCacheClient(path: server.path)
        do {
            _ = try await client.prefetch(subjects: Array(repeating: "a", count: 1_001))
            Issue.record("it was taken")
        } catch let error as TokenCacheError { #expect(error.code == .badReply) }
        await client.close()
        try await server.stop()
    }
}
