import Testing

@testable import TokenCacheClient

@Suite("Prefetches of the Swift client")
struct PrefetchTests {
    private func batches(_ users: [String], scope: String? = nil) throws -> [[String]] {
        var request = TokenCacheClient.Request("prefetch", scope: scope)
        request.userIDs = users
        return try request.batches().map { batch in
            // Each batch can be sent, and has the other members of the request.
            _ = try RequestLine(batch)
            #expect(batch.operation == "prefetch")
            #expect(batch.scope == scope)
            #expect(batch.subjects == nil)
            return batch.userIDs ?? []
        }
    }

    private func length(_ users: [String], scope: String? = nil) throws -> Int {
        var request = TokenCacheClient.Request("prefetch", scope: scope)
        request.userIDs = users
        return try RequestLine.encode(request).count
    }

    @Test("One request has up to a thousand users. More go in several.", arguments: [0, 1, 1_000, 1_001, 2_500])
    func many(count: Int) throws {
        let users = (0..<count).map { "user \($0)" }
        let batches = try batches(users)
        #expect(batches.flatMap(\.self) == users)
        #expect(batches.count == max(1, (count + 999) / 1_000))
        #expect(batches.dropLast().allSatisfy { $0.count == 1_000 })
    }

    @Test(
        "Each request has as many users as fit, also with characters that JSON escapes.",
        arguments: ["a", "\"", "\u{1}", "ü", "🂡", "/"]
    )
    func long(character: String) throws {
        let users = (0..<400).map { String(repeating: character, count: 500 + $0) }
        let batches = try batches(users, scope: "a b")
        #expect(batches.flatMap(\.self) == users)
        for (batch, next) in zip(batches, batches.dropFirst()) {
            #expect(try length(batch, scope: "a b") <= RequestLine.longest)
            #expect(try length(batch + next.prefix(1), scope: "a b") > RequestLine.longest)
        }
    }

    @Test("Users that fill a line to its last byte go in one request, and with one more byte in two.")
    func exact() throws {
        let left = RequestLine.longest - (try length(["", ""]))
        #expect(try batches(["a", String(repeating: "b", count: left - 1)]).count == 1)
        #expect(try batches(["a", String(repeating: "b", count: left)]).count == 2)
    }

    @Test("A user whose name exceeds a line fails the call before anything is sent.")
    func tooLong() async throws {
        let client = TokenCacheClient(path: "/none")
        do {
            _ = try await client.prefetch(subjects: ["a", String(repeating: "b", count: 65_536)])
            Issue.record("it was sent")
        } catch let error as TokenCacheError { #expect(error.code == .invalidRequest) }
    }

    @Test("A request with both kinds of users, or none, is left for the daemon to reject.")
    func both() throws {
        var request = TokenCacheClient.Request("prefetch")
        #expect(try request.batches().count == 1)
        request.subjects = Array(repeating: "a", count: 2_000)
        request.userIDs = ["b"]
        let batches = try request.batches()
        #expect(batches.count == 1)
        #expect(batches.first?.subjects?.count == 2_000)
    }

    @Test("The result is the sum over all requests.")
    func sum() async throws {
        let server = try await ScriptedServer {
            .send([#"{"id":\#($0.id),"queued":\#($0.id),"cached":10,"refused":100}"# + "\n"])
        }
        let client = TokenCacheClient(path: server.path)
        let found = try await client.prefetch(subjects: Array(repeating: "a", count: 2_001))
        #expect(found == TokenCacheClient.Prefetch(queued: 1 + 2 + 3, cached: 30, refused: 300))
        await client.close()
        try await server.stop()
    }

    @Test("A sum that overflows is a malformed reply.")
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
