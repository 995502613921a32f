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
        let server = try await ScriptedServer(script)
        let client = try await TokenCacheClient(connectingTo: server.path)
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

    @Test("An error of the daemon has its code, when to come back, and what the tenant said.")
    func refusal() async throws {
        try await withClient { id in
            .send([
                #"{"id":\#(id),"error":"denied","error_description":"no","retry_after":9,"upstream":{"status":401,"code":"X"}}"#
                    + "\n"
            ])
        } _: { client async throws in
            let error = await failure { _ = try await client.token(for: .userID("a")) }
            #expect(error?.code == .refused("denied"))
            #expect(error?.description == "no")
            #expect(error?.retryAfter == 9)
            #expect(error?.upstream?.status == 401)
            #expect(error?.upstream?.code == "X")
        }
    }

    @Test(
        "A connection that is cut fails the calls on it; so do rubbish and what has no id.",
        arguments: ["", #"{"id":1,"access"#, "rubbish\n"]
    )
    func lost(text: String) async throws {
        try await withClient { _ in
            .sendAndClose(text)
        } _: { client async throws in
            #expect(await failure { _ = try await client.token(for: .subject("a")) }?.code == .connectionLost)
            #expect(await failure { _ = try await client.token(for: .subject("a")) }?.code == .closed)
        }
    }

    @Test("A connection that the daemon refuses says why.")
    func overloaded() async throws {
        try await withClient { _ in
            .send([#"{"error":"overloaded","error_description":"full"}"# + "\n"])
        } _: { client async throws in
            #expect(await failure { _ = try await client.token(for: .subject("a")) }?.code == .refused("overloaded"))
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

    @Test("Where nobody listens, that is said.")
    func unreachable() async throws {
        let folder = try TemporaryFolder()
        let error = await failure { _ = try await TokenCacheClient(connectingTo: folder.path("none")) }
        #expect(error?.code == .unreachable)
        #expect(error?.description.contains("there is no socket") == true)
    }
}
