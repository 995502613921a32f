import Crypto
import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("The operator's tool, with the real daemon", .serialized)
struct ControlTests {
    private func members(_ json: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any], "\(json)")
    }

    /// The digest of a token that a command has printed.
    private func digest(of output: String) -> String {
        let token = output.trimmingCharacters(in: .newlines)
        return SHA256.hash(data: Data(token.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
    }

    @Test("A token is requested, reported through standard input or by its digest, and revoked.")
    func tokens() async throws {
        let deployment = try await Deployment.start()
        let first = try deployment.control("token", "ann").output
        #expect(await deployment.tenant.isLive(first.trimmingCharacters(in: .newlines)))
        let unknown = try deployment.control("invalidate", "ann", input: "another\n")
        #expect(unknown.output == "not invalidated: this token is not the cached one\n")
        #expect(try deployment.control("invalidate", "ann", input: first).output == "invalidated\n")
        let second = try deployment.control("token", "ann").output
        let young = try deployment.control("invalidate", "ann", "--json", input: second).output
        #expect(try members(young)["invalidated"] as? Bool == false)
        #expect(try members(young)["retry_after"] as? Int != nil)
        let token = try deployment.control("token", "bob").output
        #expect(try deployment.control("invalidate", "bob", "--sha256", digest(of: token)).output == "invalidated\n")
        #expect(try deployment.control("revoke", "ann").output == "revoked\n")
        #expect(await !deployment.tenant.isLive(second.trimmingCharacters(in: .newlines)))
        let nothing = try deployment.control("revoke", "ann")
        #expect(nothing.output == "no token was cached\n" && nothing.status == 0)
        #expect(try deployment.control("invalidate", "ann", input: "").status == 64)
        #expect(try deployment.control("token", "ann", "--json").output.hasPrefix(#"{"id":"#))
        try await deployment.stop()
    }

    @Test("A rejected token is replaced in one command, by itself or by its digest, and never printed again.")
    func replacement() async throws {
        let deployment = try await Deployment.start()
        let first = try deployment.control("token", "ann").output
        let second = try deployment.control("token", "ann", "--refused", input: first)
        #expect(second.status == 0 && second.output != first)
        #expect(await deployment.tenant.isLive(second.output.trimmingCharacters(in: .newlines)))
        // The first token isn't the cached one any more.
        let third = try deployment.control("token", "ann", "--refused-sha256", digest(of: first))
        #expect(third.output == second.output)
        let young = try deployment.control("token", "ann", "--refused", input: second.output)
        #expect(young.status == 75 && young.output.contains("try again in"), "\(young.output)")
        #expect(try deployment.control("token", "ann", "--refused", input: "").status == 64)
        try await deployment.stop()
    }

    @Test("A client's own token is had, replaced, explained, listed, dropped and revoked like a user's.")
    func clients() async throws {
        let deployment = try await Deployment.startWithClient()
        #expect(try deployment.control("hello").output.hasSuffix("\nclients     backend\n"))
        #expect(try deployment.control("prefetch", "--client", "backend").output == "1 queued, 0 cached already\n")
        let first = try deployment.control("token", "--client", "backend").output
        let second = try deployment.control("token", "--client", "backend", "--refused", input: first).output
        #expect(second != first)
        #expect(await deployment.tenant.isLive(second.trimmingCharacters(in: .newlines)))
        let explain = try deployment.control("explain", "--client", "backend").output
        #expect(explain.hasPrefix("key          client:backend, tenant main, all scopes of the client\n"), "\(explain)")
        #expect(explain.contains("next answer  from the cache: "))
        let rows = try deployment.control("entries").output.split(separator: "\n")
        #expect(rows.count == 2 && rows[1].hasPrefix("main    client:backend  -      fresh"), "\(rows)")
        #expect(try deployment.control("evict", "--client", "backend").output == "evicted\n")
        #expect(try deployment.control("revoke", "--client", "backend").output == "no token was cached\n")
        let third = try deployment.control("token", "--client", "backend", "--scope", "admin.users").output
        #expect(try deployment.control("revoke", "--client", "backend").output == "revoked\n")
        #expect(await !deployment.tenant.isLive(third.trimmingCharacters(in: .newlines)))
        try await deployment.stop()
    }

    @Test("A client that the rule doesn't name or that has no such scope is refused, with advice that fits a client.")
    func refusedClients() async throws {
        let deployment = try await Deployment.startWithClient()
        let other = try deployment.control("token", "--client", "other")
        #expect(
            other.status == 77 && other.output.contains("\n  next: `clients` in the access rule"),
            "\(other.output)"
        )
        let denied = try deployment.control("token", "--client", "backend", "--scope", "admin_classic")
        #expect(denied.status == 77, "\(denied.output)")
        #expect(denied.output.contains("\n  next: check the client and its scopes"), "\(denied.output)")
        try await deployment.stop()
    }

    @Test("A logout that the tenant doesn't carry out ends with 1, and the token is gone from the cache.")
    func failedLogout() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.control("token", "ann")
        _ = try deployment.control("token", "throttled-60:bob")
        let failed = try deployment.control("revoke", "ann")
        #expect(failed.status == 1)
        #expect(failed.output == "dropped here, but not revoked by the tenant, where it is valid until it expires\n")
        #expect(try deployment.admin().stats().entries == 0)
        try await deployment.stop()
    }

    @Test("Users are prefetched from the arguments and from standard input, however many they are.")
    func prefetch() async throws {
        let deployment = try await Deployment.start()
        #expect(try deployment.control("prefetch", "a", "b").output == "2 queued, 0 cached already\n")
        #expect(try deployment.control("token", "a").status == 0)
        #expect(try deployment.control("token", "b").status == 0)
        let users = (["a", "", "b"] + (0..<1_500).map { "user\($0)" }).joined(separator: "\n")
        let counts = try members(deployment.control("prefetch", "-", "--json", input: users).output)
        #expect(counts["queued"] as? Int == 1_500 && counts["cached"] as? Int == 2 && counts["refused"] == nil)
        #expect(try deployment.control("prefetch", "-", input: "").output == "0 queued, 0 cached already\n")
        #expect(try deployment.control("prefetch", "-", input: "a\n\n\nb").output == "0 queued, 2 cached already\n")
        let wrong = try deployment.control("prefetch", "-", input: users + "\n" + String(repeating: "x", count: 1_025))
        #expect(wrong.status == 65)
        #expect(wrong.output.contains("before the error: ") && wrong.output.contains("line 1504 of standard input"))
        try await deployment.stop()
    }

    @Test("hello, health, stats, explain and entries say what there is, for people and as JSON.")
    func observation() async throws {
        let deployment = try await Deployment.start()
        for user in ["ann", "bob", "cid", "dan", "eve"] { _ = try deployment.control("token", user) }
        let hello = try deployment.control("hello").output
        #expect(hello.contains("operations  token, prefetch, invalidate, revoke, hello\ntenants     main\n"))
        #expect(try deployment.control("hello", "--admin").output.contains("release_hold"))
        #expect(try members(deployment.control("hello", "--json").output)["server"] as? String == "tokencached")
        #expect(try deployment.control("health").output == "ok\n")
        #expect(try members(deployment.control("health", "--json").output)["status"] as? String == "ok")
        #expect(try deployment.control("stats").output.contains("tokens       5,"))
        let explain = try deployment.control("explain", "ann").output
        #expect(explain.hasPrefix("key          ann, tenant main, scope user_default\n"))
        let key = try members(deployment.control("explain", "ann", "--json").output)["key"] as? [String: String]
        #expect(key == ["tenant": "main", "subject": "ann", "scope": "user_default"])
        let page = try deployment.control("entries", "--limit", "2").output.split(separator: "\n")
        #expect(page.count == 4 && page[3].hasPrefix("more: --after "))
        let all = try deployment.control("entries", "--all", "--limit", "2").output.split(separator: "\n")
        #expect(all.count == 6 && all.count { $0.contains("TENANT") } == 1)
        let pages = try deployment.control("entries", "--all", "--limit", "2", "--json").output.split(separator: "\n")
        let users = try pages.flatMap { try members(String($0))["entries"] as? [[String: Any]] ?? [] }
            .compactMap { $0["subject"] as? String }
        #expect(pages.count == 3 && users.sorted() == ["ann", "bob", "cid", "dan", "eve"])
        try await deployment.stop()
    }

    @Test("Tokens are dropped, the configuration is reloaded, and its faults are listed.")
    func administration() async throws {
        let deployment = try await Deployment.start()
        for user in ["ann", "bob", "cid"] { _ = try deployment.control("token", user) }
        #expect(try deployment.control("evict", "ann").output == "evicted\n")
        #expect(try members(deployment.control("evict", "bob", "--json").output)["evicted"] as? Bool == true)
        #expect(try deployment.control("flush", "--tenant", "main").output == "1 token dropped\n")
        #expect(try members(deployment.control("flush", "--json").output)["flushed"] as? Int == 0)
        #expect(try members(deployment.control("reload", "--json").output)["reloaded"] as? Bool == true)
        try deployment.directory.write("tenants: { main: { host: x, colour: red } }", to: "c.yaml")
        let faults = try deployment.control("reload")
        #expect(faults.status == 78)
        #expect(faults.output.contains("colour") && faults.output.contains("\n  next: correct the file"))
        try await deployment.stop()
    }

    @Test("A hold that a wrong Retry-After set is ended: who would have been refused is served, and it is recorded.")
    func releaseHold() async throws {
        let deployment = try await Deployment.start(settings: "audit: { to: stderr }")
        #expect(try deployment.control("release-hold").output == "no tenant is on hold\n")
        let held = try deployment.control("token", "throttled-3000:a")
        #expect(held.status == 75)
        #expect(held.output.contains("tokencachectl release-hold"))
        #expect(try deployment.control("token", "bob", "--timeout", "300").status == 75)
        #expect(try deployment.control("health").output.contains("hold of main"))
        #expect(try deployment.control("release-hold", "--tenant", "none").status == 78)
        #expect(try deployment.control("release-hold", "--tenant", "main").output == "1 hold ended\n")
        #expect(try deployment.control("token", "bob").status == 0)
        #expect(try deployment.control("health").output == "ok\n")
        #expect(try members(deployment.control("release-hold", "--json").output)["released"] as? Int == 0)
        try await deployment.stop()
        #expect(deployment.written.contains("an operator has ended the tenant's hold"))
        #expect(
            deployment.written.contains(
                /"event":"release_hold","outcome":"done","tenant":"main","seconds_left":[23]\d{3},"peer_uid":\d+/
            )
        )
        #expect(deployment.written.contains(/"event":"release_hold","outcome":"none","peer_uid":\d+/))
    }

    @Test("A caller who waits in a hold is served at once when it is released.")
    func releaseWaiting() async throws {
        let deployment = try await Deployment.start()
        #expect(try deployment.control("token", "throttled-200:a").status == 75)
        let waiting = try deployment.requests()
        try waiting.send(Deployment.line("bob", #""timeout":300"#))
        let admin = try deployment.admin()
        // The request has arrived when it is counted.
        while try admin.stats().tenants["main"]?.queued.callers != 1 {}
        #expect(try admin.ask(#"{"op":"release_hold"}"#)["released"] as? Int == 1)
        #expect(try waiting.reply()["access_token"] != nil)
        try await deployment.stop()
    }

    @Test(
        "An error says what the tenant answered and what to do next, and its exit status tells a script.",
        arguments: [
            (["token", "unknown:a"], 77, ["the tenant answered 401, ", "next: check the user", "explain unknown:a`"]),
            (["token", "a", "--scope", "admin_classic"], 77, ["next: `tokencachectl hello`"]),
            (["token", "status-500:a"], 75, ["next: `tokencachectl health`"]),
            (["token", "never:a", "--timeout", "0.05"], 75, ["next: `tokencachectl explain never:a`", "--timeout"]),
            (["token", "no-token:a"], 76, ["journalctl"]),
            (["token", "a", "--tenant", "x"], 78, ["tokencachectl hello"]),
            (["token", ""], 65, ["tokencachectl help token"]), (["stats", "--admin-socket", "/none"], 69, ["/none"]),
            (["token"], 64, ["Usage"]), (["log-level", "loud"], 64, ["debug"]),
        ] as [([String], Int32, [String])]
    )
    func errors(arguments: [String], status: Int32, texts: [String]) async throws {
        let deployment = try await Deployment.start()
        let (code, output) = try Program.run(
            "tokencachectl",
            arguments,
            environment: deployment.controlEnvironment
        )
        #expect(code == status, "\(output)")
        for text in texts { #expect(output.contains(text), "\(output)") }
        try await deployment.stop()
    }

    @Test("A refused user's explanation has the tenant's own words.")
    func refused() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.control("token", "unknown:a")
        let text = try deployment.control("explain", "unknown:a").output
        #expect(text.contains("state        refused\n"))
        #expect(text.contains(/upstream     the tenant answered 401, OAUTH-\d+: .+\n/))
        try await deployment.stop()
    }

    @Test("Output that can't be written ends with 74.", arguments: [">&-", ">/dev/full"])
    func unwritable(redirection: String) async throws {
        let deployment = try await Deployment.start()
        let tool = Program.directory.appending(path: "tokencachectl").path
        for command in ["token ann", "entries --all", "stats --watch"] {
            let (status, output) = try Program.run(
                "/bin/sh",
                ["-c", "exec \(tool) \(command) \(redirection)"],
                environment: deployment.controlEnvironment
            )
            #expect(status == 74 && output.contains("the output can't be written"), "\(output)")
        }
        try await deployment.stop()
    }

    @Test("On a terminal the output is coloured and fits, unless NO_COLOR is set or the terminal is dumb.")
    func terminal() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.control("token", "日本語" + String(repeating: "x", count: 100))
        let tool = Program.directory.appending(path: "tokencachectl").path
        func run(_ command: String, _ variables: [String: String] = [:]) throws -> String {
            let standard = ["TERM": "xterm", "NO_COLOR": ""]
            let environment = deployment.controlEnvironment.merging(standard) { $1 }.merging(variables) { $1 }
            let (status, output) = try Program.run(
                "/usr/bin/script",
                ["-qec", "stty cols 72 rows 20 && \(tool) \(command)", "/dev/null"],
                environment: environment
            )
            #expect(status == 0, "\(output)")
            return output
        }
        let table = try run("entries")
        #expect(table.contains("\u{1B}[32mfresh\u{1B}[0m") && table.contains("日本語x…"))
        #expect(try !run("entries", ["NO_COLOR": "1"]).contains("\u{1B}"))
        #expect(try !run("health", ["TERM": "dumb"]).contains("\u{1B}"))
        #expect(try run("health") == "\u{1B}[32mok\u{1B}[0m\r\n")
        #expect(try run("token 日本語x --scope none || true").contains("next: "))
        try await deployment.stop()
    }

    @Test("--watch shows rates, goes on when the daemon is restarted, and ends by a signal.")
    func watch() async throws {
        let deployment = try await Deployment.start()
        let watch = try Program(
            "tokencachectl",
            ["stats", "--watch", "0.1"],
            environment: deployment.controlEnvironment
        )
        _ = try #require(watch.waitForOutput("token requests, "), "\(watch.written)")
        try deployment.restart()
        _ = try #require(watch.waitForOutput("the daemon was restarted"), "\(watch.written)")
        watch.signal(SIGTERM)
        #expect(watch.waitForEnd() == SIGTERM)
        #expect(!watch.written.contains("\u{1B}"), "there is no terminal")
        try await deployment.stop()
    }

    @Test("Redrawn statistics leave the terminal as it was, whatever ends them.", arguments: [SIGINT, SIGTERM, SIGHUP])
    func watchOnTerminal(signal: CInt) async throws {
        let deployment = try await Deployment.start()
        let tool = Program.directory.appending(path: "tokencachectl").path
        let watch = "sh -c 'echo pid=$$; exec \(tool) stats --watch 0.1'; echo ended=$?"
        let terminal = try Program(
            "/usr/bin/script",
            ["-qec", "echo modes=$(stty -g); \(watch); echo modes=$(stty -g); echo finished", "/dev/null"],
            environment: deployment.controlEnvironment.merging(["TERM": "xterm", "NO_COLOR": ""]) { $1 }
        )
        let shown = try #require(terminal.waitForOutput("token requests"), "\(terminal.written)")
        let identifier = try #require(shown.firstMatch(of: /pid=(\d+)/).flatMap { CInt($0.1) })
        kill(identifier, signal)
        let written = try #require(terminal.waitForOutput("finished"), "\(terminal.written)")
        #expect(terminal.waitForEnd() == 0)
        #expect(written.contains("ended=\(128 + signal)"), "\(written)")
        let modes = written.matches(of: /modes=(\S+)/).map(\.1)
        #expect(modes.count == 2 && modes.first == modes.last)
        // No other sequences than those that move, clear and colour.
        #expect(written.replacing(/\u{1B}\[(\d*m|H|2J|K|J)/, with: "").contains("\u{1B}") == false)
        try await deployment.stop()
    }

    @Test("--watch --json prints a line for each look, and ends when its reader does.")
    func watchJSON() async throws {
        let deployment = try await Deployment.start()
        let tool = Program.directory.appending(path: "tokencachectl").path
        let (status, output) = try Program.run(
            "/bin/sh",
            ["-c", "\(tool) stats --watch 0.1 --json | head -n 3"],
            environment: deployment.controlEnvironment
        )
        #expect(status == 0)
        let lines = output.split(separator: "\n")
        #expect(try lines.map { try members(String($0))["uptime"] as? Double ?? -1 }.allSatisfy { $0 >= 0 })
        #expect(lines.count == 3)
        try await deployment.stop()
    }
}
