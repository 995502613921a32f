import ArgumentParser
import Foundation
import Testing
import TokenCacheClient
import tokencachectl

@Suite("The commands of the operator's tool")
struct CommandTests {
    private func parse(_ arguments: String) throws -> any RequestCommand {
        let command = try TokenCacheControl.parseAsRoot(arguments.split(separator: " ").map(String.init))
        return try #require(command as? any RequestCommand)
    }

    private func path(_ command: any RequestCommand) -> String {
        command.sockets.path(of: type(of: command).socket)
    }

    @Test(
        "Each command makes one request, with the members that its options name.",
        arguments: [
            ("token ann", #"{"op":"token","subject":"ann"}"#),
            (
                "token u1 --user-id --tenant t --scope a --min-ttl 90 --no-cache",
                #"{"min_ttl":90,"no_cache":true,"op":"token","scope":"a","tenant":"t","user_id":"u1"}"#
            ),
            ("stats", #"{"op":"stats"}"#), ("health --json", #"{"op":"health"}"#),
            ("explain ann --tenant t", #"{"op":"explain","subject":"ann","tenant":"t"}"#),
            ("entries", #"{"op":"entries"}"#),
            (
                "entries --tenant t --limit 5 --after 7",
                #"{"after":"7","limit":5,"op":"entries","tenant":"t"}"#
            ),
            ("entries --order next-refresh", #"{"op":"entries","order":"next_refresh"}"#),
            ("evict ann --scope a", #"{"op":"evict","scope":"a","subject":"ann"}"#),
            ("flush", #"{"op":"flush"}"#), ("flush --tenant t", #"{"op":"flush","tenant":"t"}"#),
            ("reload", #"{"op":"reload"}"#), ("hello", #"{"op":"hello"}"#),
        ]
    )
    func request(arguments: String, line: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(try parse(arguments).request)
        #expect(String(decoding: data, as: UTF8.self) == line)
    }

    @Test("The longest wait is the call's, and not a member of the request.")
    func timeout() throws {
        #expect(try parse("token ann --timeout 3").request.timeout == .seconds(3))
    }

    @Test("The token and hello commands use the applications' socket, the others the operators'.")
    func sockets() throws {
        let options = "--socket /apps --admin-socket /operators"
        for command in ["token ann", "hello"] {
            #expect(path(try parse("\(command) \(options)")) == "/apps")
        }
        for command in ["stats", "health", "explain ann", "entries", "evict ann", "flush", "reload"] {
            #expect(path(try parse("\(command) \(options)")) == "/operators")
        }
    }

    @Test(
        "What is printed for a reply is short, and with --json the reply itself.",
        arguments: [
            ("evict ann", #"{"evicted":true}"#, "evicted"), ("reload", #"{"reloaded":true}"#, "reloaded"),
            ("flush", #"{"flushed":3}"#, "3 tokens dropped"), ("hello", #"{"ops":[]}"#, #"{"ops":[]}"#),
            ("stats --json", #"{"new":1}"#, #"{"new":1}"#), ("entries --json", #"{}"#, "{}"),
            ("health", #"{"status":"ok","checks":[]}"#, "ok"),
            ("health --json", #"{"status":"ok","checks":[]}"#, #"{"status":"ok","checks":[]}"#),
            ("explain ann --json", "{\"a\":\"\u{9B}31m\"}", #"{"a":"\u009b31m"}"#),
            (
                "token ann",
                #"{"access_token":"abc","token_type":"Bearer","expires_in":5,"expires_at":"x","scope":"s","source":"cache"}"#,
                "abc"
            ),
        ]
    )
    func output(arguments: String, reply: String, text: String) throws {
        #expect(try parse(arguments).output(for: Reply(Data(reply.utf8))) == text)
    }

    @Test(
        "Only health that is failing ends with 1, with --json too.",
        arguments: ["ok": 0, "degraded": 0, "failing": 1, "new": 0] as [String: Int32],
        ["health", "health --json"]
    )
    func healthStatus(status: (key: String, value: Int32), arguments: String) throws {
        let reply = Reply(Data(#"{"status":"\#(status.key)","checks":[]}"#.utf8))
        #expect(try parse(arguments).exitCode(after: reply).rawValue == status.value)
    }

    @Test("A malformed reply is an error that doesn't show the reply.", arguments: ["token ann", "stats", "flush"])
    func malformed(arguments: String) throws {
        let command = try parse(arguments)
        let error = #expect(throws: TokenCacheError.self) {
            let reply = #"{"access_token":["secret"],"flushed":"secret","uptime":"secret"}"#
            return try command.output(for: Reply(Data(reply.utf8)))
        }
        #expect(error?.code == .badReply)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("A daemon that can't be reached is an error, and the exit status says so.")
    func unreachable() async throws {
        var command = try parse("stats --admin-socket /nonexistent/socket")
        let code = await #expect(throws: ExitCode.self) { try await command.run() }
        #expect(code?.rawValue == 69)
    }
}
