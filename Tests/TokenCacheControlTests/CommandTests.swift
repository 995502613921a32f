import ArgumentParser
import Foundation
import Testing
import TokenCacheClient
import tokencachectl

@Suite("The commands of the operator's tool")
struct CommandTests {
    private func parse(_ arguments: String) throws -> any DaemonCommand {
        let command = try TokenCacheControl.parseAsRoot(arguments.split(separator: " ").map(String.init))
        return try #require(command as? any DaemonCommand)
    }

    private func parseRequest(_ arguments: String) throws -> any RequestCommand {
        try #require(try parse(arguments) as? any RequestCommand)
    }

    private func path(_ command: any DaemonCommand) -> String {
        command.sockets.path(of: command.socket)
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
            ("reload", #"{"op":"reload"}"#), ("hello", #"{"op":"hello"}"#), ("hello --admin", #"{"op":"hello"}"#),
            ("entries --all", #"{"limit":1000,"op":"entries"}"#),
            ("entries --all --limit 7 --after 9", #"{"after":"9","limit":7,"op":"entries"}"#),
            ("token ann --min-ttl 5m", #"{"min_ttl":300,"op":"token","subject":"ann"}"#),
            ("invalidate ann", #"{"op":"invalidate","subject":"ann"}"#),
            ("revoke ann --scope a", #"{"op":"revoke","scope":"a","subject":"ann"}"#),
            ("metrics", #"{"op":"metrics"}"#), ("release-hold", #"{"op":"release_hold"}"#),
            ("release-hold --tenant t", #"{"op":"release_hold","tenant":"t"}"#),
            ("log-level debug", #"{"level":"debug","op":"log_level"}"#),
            ("log-level warning --for 10m", #"{"for":600,"level":"warning","op":"log_level"}"#),
            ("token --client backend --scope a", #"{"client":"backend","op":"token","scope":"a"}"#),
            ("invalidate --client backend", #"{"client":"backend","op":"invalidate"}"#),
            ("revoke --client backend", #"{"client":"backend","op":"revoke"}"#),
            ("evict --client backend", #"{"client":"backend","op":"evict"}"#),
            ("explain --client backend --tenant t", #"{"client":"backend","op":"explain","tenant":"t"}"#),
            ("revoke ann --everywhere", #"{"everywhere":true,"op":"revoke","subject":"ann"}"#),
            ("provision ann", #"{"op":"provision","subject":"ann"}"#),
            (
                "provision ann --name Ann --email a@x.example --group p-a --group p-b --tenant t",
                #"{"email":"a@x.example","groups":["p-a","p-b"],"name":"Ann","op":"provision","subject":"ann","tenant":"t"}"#
            ),
            ("provision ann --no-groups", #"{"groups":[],"op":"provision","subject":"ann"}"#),
            ("stats --watch", #"{"op":"stats"}"#), ("stats --watch 0.5", #"{"op":"stats"}"#),
        ]
    )
    func request(arguments: String, line: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode(try parseRequest(arguments).request)
        #expect(String(decoding: data, as: UTF8.self) == line)
    }

    @Test("The digest of a rejected token is a member of the request, and the token itself is none.")
    func refused() throws {
        let digest = String(repeating: "0f", count: 32)
        #expect(try parseRequest("token ann --refused-sha256 \(digest)").request.refusedTokenSHA256 == digest)
        #expect(try parseRequest("invalidate ann --sha256 \(digest)").request.tokenSHA256 == digest)
        #expect(try parseRequest("token ann --refused").request.refusedTokenSHA256 == nil)
    }

    @Test("The longest wait is the call's, and not a member of the request.")
    func timeout() throws {
        #expect(try parseRequest("token ann --timeout 3").request.timeout == .seconds(3))
        #expect(try parseRequest("provision ann --timeout 3").request.timeout == .seconds(3))
    }

    @Test("The commands for tokens and hello use the applications' socket, the others the operators'.")
    func sockets() throws {
        let options = "--socket /apps --admin-socket /operators"
        for command in [
            "token ann", "prefetch ann", "prefetch --client a", "invalidate ann", "revoke ann", "provision ann",
            "hello",
        ] {
            #expect(path(try parse("\(command) \(options)")) == "/apps")
        }
        for command in [
            "stats", "health", "explain ann", "entries", "evict ann", "flush", "reload", "metrics", "release-hold",
            "log-level info", "hello --admin",
        ] {
            #expect(path(try parse("\(command) \(options)")) == "/operators")
        }
    }

    @Test(
        "What is printed for a reply is short, and with --json the reply itself.",
        arguments: [
            ("evict ann", #"{"evicted":true}"#, "evicted"), ("reload", #"{"reloaded":true}"#, "reloaded"),
            ("flush", #"{"flushed":3}"#, "3 tokens dropped"), ("hello --json", #"{"ops":[]}"#, #"{"ops":[]}"#),
            (
                "hello",
                #"{"server":"tokencached","version":"1.2.3","protocol":1,"ops":["token"],"tenants":[],"max_line":9}"#,
                "daemon      tokencached 1.2.3, protocol 1\noperations  token\ntenants     none"
            ),
            (
                "hello",
                #"{"server":"x","version":"1","protocol":1,"ops":[],"tenants":["a"],"clients":["b","c\u001b"],"max_line":9}"#,
                "daemon      x 1, protocol 1\noperations  none\ntenants     a\nclients     b, c?"
            ),
            (
                "hello",
                #"{"server":"x","version":"1","protocol":1,"ops":[],"tenants":[],"fleet":{"connected":true,"since":"2026-01-02T03:04:05Z","machines":3},"max_line":9}"#,
                "daemon      x 1, protocol 1\noperations  none\ntenants     none\nfleet       connected since 2026-01-02T03:04:05Z, 3 machines"
            ),
            ("revoke ann", #"{"revoked":true}"#, "revoked"),
            ("revoke ann", #"{"revoked":false}"#, "no token was cached"),
            (
                "revoke ann", #"{"revoked":true,"upstream":false}"#,
                "dropped here, but not revoked by the tenant, where it is valid until it expires"
            ),
            (
                "revoke ann --everywhere", #"{"revoked":true,"upstream_revoked":1}"#,
                "dropped here; 1 token revoked at the tenant"
            ),
            (
                "revoke ann --everywhere", #"{"revoked":false,"upstream":false,"upstream_revoked":2}"#,
                "no token was cached; 2 tokens revoked at the tenant, but not all: the others are valid until they expire"
            ),
            (
                "provision ann", #"{"user_id":"6305","status":"active","created":true,"groups_changed":true}"#,
                "created user 6305, active; groups changed"
            ),
            (
                "provision ann",
                #"{"user_id":"6\u001b5","status":"invited","created":false,"groups_changed":false,"source":"cache"}"#,
                "user 6?5 exists, invited; the daemon remembered it"
            ),
            ("invalidate ann", #"{"invalidated":true}"#, "invalidated"),
            ("invalidate ann", #"{"invalidated":false}"#, "not invalidated: this token is not the cached one"),
            (
                "invalidate ann", #"{"invalidated":false,"retry_after":7}"#,
                "not invalidated: this token has just replaced a reported one; if it is rejected as well, report it "
                    + "again in 7.0 s"
            ),
            ("metrics", ##"{"content_type":"text/plain","body":"# HELP a\na 1\n"}"##, "# HELP a\na 1"),
            ("metrics", #"{"body":"a 1"}"#, "a 1"), ("metrics --json", #"{"body":"a 1\n"}"#, #"{"body":"a 1\n"}"#),
            ("log-level debug", #"{"level":"debug"}"#, "the log's level is debug"),
            ("log-level debug --for 10m", #"{"level":"debug","for":600}"#, "the log's level is debug for 10 min"),
            ("release-hold", #"{"released":0}"#, "no tenant is on hold"),
            ("release-hold --tenant t", #"{"released":0}"#, "the tenant is not on hold"),
            ("release-hold", #"{"released":1}"#, "1 hold ended"), ("release-hold", #"{"released":2}"#, "2 holds ended"),
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
        #expect(try parseRequest(arguments).text(for: Reply(Data(reply.utf8))) == text)
    }

    @Test("Metrics are printed as they are, except for characters that could control the terminal that shows them.")
    func metrics() throws {
        let reply = Reply(Data(#"{"body":"a{t=\"\u001b[31m\"} 1\nb 2\n"}"#.utf8))
        let command = try parseRequest("metrics")
        #expect(try command.text(for: reply) == "a{t=\"\u{1B}[31m\"} 1\nb 2")
        let terminal = Display(style: .plain, width: 80, isTerminal: true)
        #expect(try command.text(for: reply, terminal) == "a{t=\"?[31m\"} 1\nb 2")
    }

    @Test(
        "Only health that is failing ends with 1, with --json too.",
        arguments: ["ok": 0, "degraded": 0, "failing": 1, "new": 0] as [String: Int32],
        ["health", "health --json"]
    )
    func healthStatus(status: (key: String, value: Int32), arguments: String) throws {
        let reply = Reply(Data(#"{"status":"\#(status.key)","checks":[]}"#.utf8))
        #expect(try parseRequest(arguments).exitCode(after: reply).rawValue == status.value)
    }

    @Test(
        "A malformed reply is an error that doesn't show the reply.",
        arguments: [
            "token ann", "stats", "flush", "hello", "revoke ann", "invalidate ann", "metrics", "log-level info",
            "release-hold", "explain ann", "entries", "health", "provision ann", "revoke ann --everywhere",
        ]
    )
    func malformed(arguments: String) throws {
        let command = try parseRequest(arguments)
        let error = #expect(throws: TokenCacheError.self) {
            let reply = #"{"access_token":["secret"],"flushed":"secret","uptime":"secret","released":"secret"}"#
            return try command.text(for: Reply(Data(reply.utf8)))
        }
        #expect(error?.code == .badReply)
        #expect(error?.description.contains("secret") == false)
    }

    @Test(
        "A logout that the tenant has not carried out ends with 1.",
        arguments: [
            #"{"revoked":true}"#: 0, #"{"revoked":false}"#: 0, #"{"revoked":true,"upstream":false}"#: 1,
        ] as [String: Int32]
    )
    func revokeStatus(reply: (key: String, value: Int32)) throws {
        let code = try parseRequest("revoke ann").exitCode(after: Reply(Data(reply.key.utf8)))
        #expect(code.rawValue == reply.value)
    }

    @Test("A logout everywhere that an older daemon has not carried out is an error.")
    func olderDaemon() throws {
        let command = try parseRequest("revoke ann --everywhere")
        let error = #expect(throws: TokenCacheError.self) {
            try command.exitCode(after: Reply(Data(#"{"revoked":true}"#.utf8)))
        }
        #expect(error?.code == .unsupportedOperation)
    }

    @Test(
        "A command about a client, a user to provision or a logout everywhere has advice of its own.",
        arguments: [
            ("token --client backend", "forbidden", "`clients` in the access rule"),
            ("token --client backend", "denied", "explain --client backend`"), ("token ann", "denied", nil),
            ("prefetch --client backend", "forbidden", "`clients` in the access rule"),
            ("evict --client backend", "forbidden", nil), ("token ann", "forbidden", nil),
            ("revoke ann --everywhere", "forbidden", "`provision.revoke_client`"), ("revoke ann", "forbidden", nil),
            ("provision ann", "forbidden", "`provision.groups`"), ("provision ann", "denied", "never revives"),
            ("provision ann", "rate_limited", nil), ("stats", "denied", nil),
        ] as [(String, String, String?)]
    )
    func advice(arguments: String, code: String, text: String?) throws {
        let advice = try parse(arguments).advice(on: TokenCacheError(.init(rawValue: code), "no"))
        #expect((advice == nil) == (text == nil))
        if let text { #expect(advice?.contains(text) == true, "\(advice ?? "")") }
    }

    @Test("A denial of the daemon's own client is not advised as one of the user.")
    func deniedClient() throws {
        let upstream = TokenCacheError.Upstream(status: 403, code: nil, title: nil)
        let advice = try parse("provision ann").advice(on: TokenCacheError(.denied, "no", upstream: upstream))
        #expect(advice?.contains("`provision.client`") == true)
    }

    @Test(
        "A wrong command line ends with 64.",
        arguments: [
            "unknown", "token", "stats --watch 0", "stats --watch -1", "stats --watch 2d", "log-level loud",
            "log-level", "log-level debug --for soon", "prefetch", "prefetch - ann", "invalidate ann --sha256 20a42e12",
            "token ann --min-ttl x", "invalidate ann token", "token ann --client backend", "token --client a --user-id",
            "token ann --refused-sha256 20a42e12", "token ann --refused token", "explain", "revoke", "evict",
            "prefetch ann --client backend", "prefetch --client a --user-id", "prefetch - --client a", "provision",
            "provision --client a", "provision ann --group a --no-groups", "revoke --client a --everywhere",
        ]
    )
    func commandLine(arguments: String) {
        let error = #expect(throws: (any Error).self) { try parse(arguments) }
        #expect(error.map { TokenCacheControl.exitCode(for: $0).rawValue } == 64)
    }

    @Test(
        "A duration is a number of seconds, or a number with a unit.",
        arguments: [
            ("90", 90), ("1.5", 1.5), ("90s", 90), ("30m", 1_800), ("6h", 21_600), ("0", 0), ("", nil), ("m", nil),
            ("-1", nil), ("1d", nil), ("1e3", nil), ("inf", nil), ("nan", nil), ("0x10", nil), (" 1", nil),
            ("1.2.3", nil),
        ] as [(String, Double?)]
    )
    func duration(argument: String, seconds: Double?) {
        #expect(DurationArgument(argument: argument)?.duration == seconds.map { .seconds($0) })
    }

    @Test("A daemon that can't be reached is an error, and the exit status says so.")
    func unreachable() async throws {
        var command = try parse("stats --admin-socket /nonexistent/socket")
        let code = await #expect(throws: ExitCode.self) { try await command.run() }
        #expect(code?.rawValue == 69)
    }
}
