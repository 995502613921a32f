import Glibc
import NIOCore
import TestSupport
import Testing
import TokenCacheClient

@Suite("The Swift client")
struct TokenCacheClientTests {
    private static func token(_ id: Int) -> String {
        #"{"id":\#(id),"access_token":"t\#(id)","token_type":"Bearer","expires_in":5,"expires_at":"x","scope":"s","source":"cache"}"#
            + "\n"
    }

    /// Durations outside of 0 to 300 s, also those that a number on a command line becomes.
    private static let outOfRange: [Duration] =
        [.milliseconds(-1), .milliseconds(300_100), .seconds(Int64.max), .seconds(Int64.min)]
        + [.nan, .infinity, -.infinity, 300.1, -0.1].map(Duration.init(clampingSeconds:))

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

    @Test("A reply is read correctly wherever its bytes are split.")
    func everySplit() async throws {
        let length = Self.token(1).utf8.count
        for split in stride(from: 1, to: length, by: 7) {
            try await withClient { id in
                let text = Self.token(id)
                let index = text.index(text.startIndex, offsetBy: min(split, text.count - 1))
                return .send([String(text[..<index]), String(text[index...])])
            } _: { client async throws in
                #expect(try await client.token(for: .subject("ann")).accessToken == "t1")
            }
        }
    }

    @Test("Replies may arrive in any order, and one to no request is ignored.")
    func order() async throws {
        try await withClient { id in
            id == 1 ? .send([]) : .send([Self.token(99), Self.token(2), Self.token(1)])
        } _: { client async throws in
            async let first = client.token(for: .subject("a"))
            async let second = client.token(for: .subject("b"))
            #expect(Set([try await first.accessToken, try await second.accessToken]) == ["t1", "t2"])
        }
    }

    @Test("Each of a thousand simultaneous calls gets its own reply.")
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

    @Test("A cached token overtakes 1,500 that the daemon has to wait for.")
    func overtaking() async throws {
        let server = try await ScriptedServer { $0.subject == "hit" ? .send([Self.token($0.id)]) : .send([]) }
        let client = TokenCacheClient(path: server.path)
        let misses = (0..<1_500).map { number in
            // Each call begins before the next, so all of them are sent before the hit.
            Task.immediate { try? await client.token(for: .subject("miss \(number)"), timeout: .seconds(300)) }
        }
        let hit = try await client.token(for: .subject("hit"), timeout: TestTimeout.duration)
        #expect(hit.accessToken == "t1501")
        await client.close()
        for miss in misses { #expect(await miss.value == nil) }
        try await server.stop()
    }

    @Test("If no second connection can be made, calls wait for the first and don't fail.")
    func noSecond() async throws {
        let (asked, asking) = AsyncStream<Void>.makeStream()
        let server = try await ScriptedServer { _ in
            asking.yield()
            return .send([])
        }
        let client = TokenCacheClient(path: server.path, restartGrace: .zero)
        let waiting = (0..<1_000).map { number in
            Task.immediate {
                await failure { _ = try await client.token(for: .subject("\(number)"), timeout: .seconds(300)) }
            }
        }
        var count = 0
        for await _ in asked {
            count += 1
            if count == 1_000 { break }
        }
        // The server stops listening and keeps the connection.
        try await server.stop()
        let late = await failure { _ = try await client.token(for: .subject("late"), timeout: .milliseconds(100)) }
        #expect(late?.code == .timeout)
        #expect(late?.requestState == .notSent)
        await client.close()
        for call in waiting { #expect(await call.value?.code == .closed) }
    }

    @Test("An error from the daemon has its code, message and delay, and the tenant's words.")
    func daemonError() async throws {
        try await withClient { id in
            .send([
                #"{"id":\#(id),"error":"denied","error_description":"no","retry_after":9,"upstream":{"status":401,"code":"X"}}"#
                    + "\n"
            ])
        } _: { client async throws in
            let error = await failure { _ = try await client.token(for: .userID("a")) }
            #expect(error?.code == .denied)
            #expect(error?.message == "no")
            #expect(error?.description == "denied: no (X)")
            #expect(error?.requestState == .answered)
            #expect(error?.retryAfter == .seconds(9))
            #expect(error?.upstream?.status == 401)
            #expect(error?.upstream?.code == "X")
        }
    }

    @Test("A cancelled call ends, and its connection serves other calls.")
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

    @Test("Without a grace period, a call without a daemon fails at once, with the system's error as its cause.")
    func unreachable() async throws {
        let directory = try TemporaryDirectory()
        let client = TokenCacheClient(path: directory.path("none"), restartGrace: .zero, longestReply: 1_000)
        let error = await failure { _ = try await client.token(for: .subject("a"), timeout: .seconds(300)) }
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("there is no socket") == true)
        #expect(error?.requestState == .notSent)
        #expect((error?.cause as? IOError)?.errnoCode == ENOENT)
    }

    @Test("A call that is cancelled before it begins sends nothing.")
    func cancelledBefore() async throws {
        let directory = try TemporaryDirectory()
        let client = TokenCacheClient(path: directory.path("none"), restartGrace: .seconds(300))
        let call = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await client.hello(timeout: .seconds(300))
        }
        await #expect(throws: CancellationError.self) { try await call.value }
    }

    @Test("A call that waits for a daemon can be cancelled.")
    func cancelledWhileWaiting() async throws {
        let directory = try TemporaryDirectory()
        let client = TokenCacheClient(path: directory.path("none"), restartGrace: .seconds(300))
        let call = Task.immediate { try await client.hello(timeout: .seconds(300)) }
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        await client.close()
    }

    @Test("A timeout after the request was sent says so.")
    func sentState() async throws {
        let server = try await ScriptedServer { _ in .send([]) }
        let client = TokenCacheClient(path: server.path)
        let error = await failure { _ = try await client.hello(timeout: .milliseconds(1)) }
        #expect(error?.code == .timeout)
        #expect(error?.requestState == .sent)
        await client.close()
        try await server.stop()
    }

    @Test("A source and a code that this version does not know are values.")
    func openSets() async throws {
        try await withClient { id in
            id == 1
                ? .send([Self.token(id).replacing(#""cache""#, with: #""replica""#)])
                : .send([#"{"id":\#(id),"error":"quota_exceeded"}"# + "\n"])
        } _: { client async throws in
            let token = try await client.token(for: .subject("a"))
            #expect(token.source == .init(rawValue: "replica"))
            let error = await failure { _ = try await client.token(for: .subject("a")) }
            #expect(error?.code == .init(rawValue: "quota_exceeded"))
        }
    }

    @Test(
        "A duration is written as the number of seconds that it was made of.",
        arguments: [0, 0.001, 0.1, 0.3, 1.1, 300.5, 86_400, -0.5]
    )
    func seconds(number: Double) {
        #expect(Duration.seconds(number).inSeconds == number)
        #expect(Duration(clampingSeconds: number).inSeconds == number)
    }

    @Test("No text about a token contains it.")
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
        "A path that no socket can have is reported at once.",
        arguments: ["", "/a\0b", String(repeating: "a", count: 108)]
    )
    func invalidPath(path: String) async throws {
        let client = TokenCacheClient(path: path, restartGrace: .seconds(300))
        let error = await failure { _ = try await client.hello(timeout: .seconds(300)) }
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("the path") == true)
    }

    @Test("A grace period out of range fails each call.", arguments: outOfRange)
    func graces(grace: Duration) async throws {
        let client = TokenCacheClient(path: "/none", restartGrace: grace)
        let error = await failure { _ = try await client.hello(timeout: .seconds(300)) }
        #expect(error?.code == .invalidRequest)
    }

    @Test("A timeout out of range fails the call before anything is sent.", arguments: outOfRange)
    func timeouts(timeout: Duration) async throws {
        let client = TokenCacheClient(path: "/none")
        let error = await failure { _ = try await client.hello(timeout: timeout) }
        #expect(error?.code == .invalidRequest)
    }

    @Test("Closing the client ends its calls.")
    func closing() async throws {
        try await withClient { _ in
            .send([])
        } _: { client async throws in
            async let lost = failure { _ = try await client.hello(timeout: .seconds(300)) }
            await client.close()
            #expect(await lost?.code == .closed)
        }
    }
}
