import Synchronization
import TestSupport
import Testing
import TokenCacheClient

@Suite("The Swift client")
struct TokenCacheClientTests {
    private static func token(_ id: Int) -> String {
        #"{"id":\#(id),"access_token":"t\#(id)","token_type":"Bearer","expires_in":5,"expires_at":"x","scope":"s","source":"cache"}"#
            + "\n"
    }

    private func withClient<Result: Sendable>(
        _ script: @escaping @Sendable (Int) -> ScriptedServer.Action,
        _ body: (TokenCacheClient) async throws -> Result
    ) async throws -> Result {
        let server = try await ScriptedServer { script($0.id) }
        let client = TokenCacheClient(path: server.path)
        let result = try await body(client)
        await client.close()
        try await server.stop()
        return result
    }

    private func failure(_ body: () async throws -> Void) async -> TokenCacheError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? TokenCacheError
        }
    }

    @Test("A reply is understood however it is cut.")
    func everyCut() async throws {
        let length = Self.token(1).utf8.count
        for cut in stride(from: 1, to: length, by: 7) {
            try await withClient { id in
                let text = Self.token(id)
                let index = text.index(text.startIndex, offsetBy: min(cut, text.count - 1))
                return .send([String(text[..<index]), String(text[index...])])
            } _: { client async throws in
                #expect(try await client.token(for: .subject("ann")).accessToken == "t1")
            }
        }
    }

    @Test("Replies may come in any order, and one that nobody asked for is passed over.")
    func order() async throws {
        try await withClient { id in
            id == 1 ? .send([]) : .send([Self.token(99), Self.token(2), Self.token(1)])
        } _: { client async throws in
            async let first = client.token(for: .subject("a"))
            async let second = client.token(for: .subject("b"))
            #expect(Set([try await first.accessToken, try await second.accessToken]) == ["t1", "t2"])
        }
    }

    @Test("A thousand calls at once each get their own reply.")
    func concurrency() async throws {
        try await withClient {
            .send([Self.token($0)])
        } _: { client async throws in
            let tokens = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<1_000 {
                    group.addTask { try await client.token(for: .subject("user\(number)")).accessToken }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(tokens.count == 1_000)
        }
    }

    @Test("A token that is cached passes 1,500 that the daemon has to wait for.")
    func passing() async throws {
        let server = try await ScriptedServer { $0.subject == "hit" ? .send([Self.token($0.id)]) : .send([]) }
        let client = TokenCacheClient(path: server.path)
        let misses = (0..<1_500).map { number in
            // Each begins before the next: all of them are asked before the hit is.
            Task.immediate { try? await client.token(for: .subject("miss \(number)"), timeout: 300) }
        }
        let hit = try await client.token(for: .subject("hit"), timeout: Double(TestTimeout.seconds))
        #expect(hit.accessToken == "t1501")
        await client.close()
        for miss in misses { #expect(await miss.value == nil) }
        try await server.stop()
    }

    @Test("Where no second connection can be made, no call fails that has the first to wait for.")
    func noSecond() async throws {
        let (asked, asking) = AsyncStream<Void>.makeStream()
        let server = try await ScriptedServer { _ in
            asking.yield()
            return .send([])
        }
        let client = TokenCacheClient(path: server.path, restartGrace: 0)
        let waiting = (0..<1_000).map { number in
            Task.immediate { await failure { _ = try await client.token(for: .subject("\(number)"), timeout: 300) } }
        }
        var count = 0
        for await _ in asked {
            count += 1
            if count == 1_000 { break }
        }
        // Nobody listens any more, and the connection stays.
        try await server.stop()
        let late = await failure { _ = try await client.token(for: .subject("late"), timeout: 0.1) }
        #expect(late?.code == .timeout)
        await client.close()
        for call in waiting { #expect(await call.value?.code == .closed) }
    }

    @Test("An error of the daemon has its code, when to come back, and what the tenant said.")
    func refusal() async throws {
        try await withClient { id in
            .send([
                #"{"id":\#(id),"error":"denied","error_description":"no","retry_after":9,"upstream":{"status":401,"code":"X"}}"#
                    + "\n"
            ])
        } _: { client async throws in
            let error = await failure { _ = try await client.token(for: .userID("a")) }
            #expect(error?.code == .denied)
            #expect(error?.description == "no")
            #expect(error?.retryAfter == 9)
            #expect(error?.upstream?.status == 401)
            #expect(error?.upstream?.code == "X")
        }
    }

    @Test("A cancelled call ends, and the connection serves on.")
    func cancellation() async throws {
        let (asked, asking) = AsyncStream<Void>.makeStream()
        try await withClient { id in
            guard id == 1 else { return .send([Self.token(id)]) }
            asking.yield()
            return .send([])
        } _: { client async throws in
            let call = Task { try await client.token(for: .subject("a")) }
            for await _ in asked { break }
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            #expect(try await client.token(for: .subject("b")).accessToken == "t2")
        }
    }

    @Test("Who doesn't wait for a daemon that isn't there is told at once.")
    func unreachable() async throws {
        let folder = try TemporaryDirectory()
        let client = TokenCacheClient(path: folder.path("none"), restartGrace: 0, longestReply: 1_000)
        let error = await failure { _ = try await client.token(for: .subject("a"), timeout: 300) }
        #expect(error?.code == .unreachable)
        #expect(error?.description.contains("there is no socket") == true)
    }

    @Test("A token shows in no text of its object.")
    func redaction() async throws {
        try await withClient { id in
            .send([Self.token(id)])
        } _: { client async throws in
            let token = try await client.token(for: .subject("a"))
            var dumped = ""
            dump(token, to: &dumped)
            for text in ["\(token)", String(reflecting: token), dumped] { #expect(!text.contains("t1")) }
        }
    }

    @Test(
        "A path that no socket can have is unreachable at once.",
        arguments: ["", "/a\0b", String(repeating: "a", count: 108)]
    )
    func hopeless(path: String) async throws {
        let client = TokenCacheClient(path: path, restartGrace: 300)
        let error = await failure { _ = try await client.hello(timeout: 300) }
        #expect(error?.code == .unreachable)
        #expect(error?.description.contains("the path") == true)
    }

    @Test("A grace that is none is refused.", arguments: [-0.1, 300.1, .nan, .infinity] as [Double])
    func graces(seconds: Double) async throws {
        let client = TokenCacheClient(path: "/none", restartGrace: seconds)
        let error = await failure { _ = try await client.hello(timeout: 300) }
        #expect(error?.code == .invalidRequest)
    }

    @Test(
        "A number that no time can be is refused before it is sent.",
        arguments: [-1, 300.1, .nan, .infinity, -.infinity] as [Double]
    )
    func timeouts(seconds: Double) async throws {
        let client = TokenCacheClient(path: "/none")
        let error = await failure { _ = try await client.hello(timeout: seconds) }
        #expect(error?.code == .invalidRequest)
    }

    @Test("The calls of a client that is given up end, and so does its connection.")
    func closing() async throws {
        try await withClient { _ in
            .send([])
        } _: { client async throws in
            async let lost = failure { _ = try await client.hello(timeout: 300) }
            await client.close()
            #expect(await lost?.code == .closed)
        }
    }
}
