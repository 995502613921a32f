import Synchronization
import TestSupport
import Testing
import TokenCacheClient

@Suite("Refused tokens of the Swift client")
struct RefusedTokenTests {
    typealias RefusedToken = TokenCacheClient.RefusedToken

    private static func token(_ id: Int, _ token: String) -> ScriptedServer.Action {
        let members = #""token_type":"Bearer","expires_in":5,"expires_at":"x","scope":"s","source":"cache""#
        return .send([#"{"id":\#(id),"access_token":"\#(token)",\#(members)}"# + "\n"])
    }

    /// The requests of a call for a token after `old` was refused, and the call's result.
    private func requests(
        refused: RefusedToken = .accessToken("old"),
        _ script: @escaping @Sendable (ScriptedServer.Line) -> ScriptedServer.Action
    ) async throws -> (lines: [ScriptedServer.Line], result: Result<String, any Error>) {
        let lines = Lines()
        let server = try await ScriptedServer { line in
            lines.append(line)
            return script(line)
        }
        let client = TokenCacheClient(path: server.path)
        let result: Result<String, any Error>
        do {
            result = .success(
                try await client.token(for: .subject("ann"), timeout: TestTimeout.duration, refusedToken: refused)
                    .accessToken
            )
        } catch { result = .failure(error) }
        await client.close()
        try await server.stop()
        return (lines.all, result)
    }

    /// The lines that a server has received, which it does on another thread.
    private final class Lines: Sendable {
        private let lines = Mutex<[ScriptedServer.Line]>([])
        var all: [ScriptedServer.Line] { lines.withLock(\.self) }
        func append(_ line: ScriptedServer.Line) { lines.withLock { $0.append(line) } }
    }

    @Test("The digest is the SHA-256 of the token, and the value doesn't contain the token.")
    func digest() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(RefusedToken.accessToken("abc") == .sha256(digest))
        #expect(!"\(RefusedToken.accessToken("secret"))".contains("secret"))
    }

    @Test("A refused token is replaced in one request.")
    func oneRequest() async throws {
        let (lines, result) = try await requests { Self.token($0.id, "new") }
        #expect(try result.get() == "new")
        #expect(lines.map(\.op) == ["token"])
        #expect(lines.first?.refused == RefusedToken.accessToken("old").digest)
    }

    @Test(
        "A daemon that gives the refused token again, as an older one does, is told by a request of its own.",
        arguments: [RefusedToken.accessToken("old"), .sha256(RefusedToken.accessToken("old").digest.uppercased())]
    )
    func olderDaemon(refused: RefusedToken) async throws {
        let (lines, result) = try await requests(refused: refused) { line in
            line.op == "invalidate"
                ? .send([#"{"id":\#(line.id),"invalidated":true}"# + "\n"])
                : Self.token(line.id, line.refused == nil ? "new" : "old")
        }
        #expect(try result.get() == "new")
        #expect(lines.map(\.op) == ["token", "invalidate", "token"])
        #expect(lines[1].reported == refused.digest && lines[1].subject == "ann")
        #expect(lines[2].refused == nil && lines[2].subject == "ann")
    }

    @Test(
        "A refused token is never the result: if an older daemon keeps it, the call fails and may be repeated.",
        arguments: [(#""invalidated":false,"retry_after":7"#, 2, .seconds(7)), (#""invalidated":false"#, 3, nil)]
            as [(String, Int, Duration?)]
    )
    func never(reply: String, count: Int, delay: Duration?) async throws {
        let (lines, result) = try await requests { line in
            line.op == "invalidate" ? .send([#"{"id":\#(line.id),\#(reply)}"# + "\n"]) : Self.token(line.id, "old")
        }
        let error = #expect(throws: TokenCacheError.self) { try result.get() }
        #expect(error?.code == .rateLimited && error?.retryAfter == delay && error?.requestState == .answered)
        #expect(lines.count == count)
    }
}
