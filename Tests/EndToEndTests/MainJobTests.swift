import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("The main job, with the real executables", .serialized)
struct MainJobTests {
    @Test("A token is minted once and then served from the cache, over HTTP and over HTTPS.", arguments: [false, true])
    func missAndHit(isTLS: Bool) async throws {
        var standIn = StandInTenant.Configuration()
        standIn.tls = isTLS ? .valid : .none
        let deployment = try await Deployment.start(standIn)
        let miss = try deployment.token("auth0|ann", #""id":7"#)
        #expect(miss["id"] as? Int == 7)
        #expect(miss["source"] as? String == "tenant")
        #expect(miss["token_type"] as? String == "Bearer")
        #expect(miss["scope"] as? String == "user_default")
        #expect((miss["expires_in"] as? Int).map { (21_500..<21_600).contains($0) } == true)
        let token = try #require(miss["access_token"] as? String)
        #expect(await deployment.tenant.isLive(token))
        let hit = try deployment.token("auth0|ann")
        #expect(hit["source"] as? String == "cache")
        #expect(hit["access_token"] as? String == token)
        #expect(await deployment.tenant.mintCount(field: .subject, value: "auth0|ann", scope: nil) == 1)
        try await deployment.stop()
    }

    @Test("A thousand requests for five users from a hundred connections at once cause five mints.")
    func thundering() async throws {
        let deployment = try await Deployment.start()
        await deployment.tenant.holdReplies()
        let clients = try (0..<100).map { _ in try deployment.requests() }
        for (number, client) in clients.enumerated() {
            for index in 0..<10 { try client.send(Deployment.line("user\((number + index) % 5)")) }
        }
        try await deployment.tenant.waitForHeldReplies(count: 5)
        await deployment.tenant.releaseReplies()
        for client in clients {
            for _ in 0..<10 { #expect(try client.reply()["access_token"] != nil) }
        }
        #expect(await deployment.tenant.counters.mints == 5)
        #expect(try deployment.admin().stats().mints.succeeded == 5)
        try await deployment.stop()
    }

    @Test("A hit overtakes a miss on the same connection if both carry an id. Without ids the order holds.")
    func overtaking() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.token("warm")
        await deployment.tenant.holdReplies()
        let client = try deployment.requests()
        try client.send(Deployment.line("cold", #""id":"miss""#))
        #expect(try client.ask(Deployment.line("warm", #""id":"hit""#))["id"] as? String == "hit")
        try client.send(Deployment.line("colder"))
        try client.send(Deployment.line("warm"))
        try await deployment.tenant.waitForHeldReplies(count: 2)
        await deployment.tenant.releaseReplies()
        var sources: [String] = []
        for _ in 0..<3 {
            let reply = try client.reply()
            if reply["id"] == nil { sources.append(reply["source"] as? String ?? "?") }
        }
        #expect(sources == ["tenant", "cache"])
        try await deployment.stop()
    }

    @Test("A token's last second is not handed out, and a new one comes by itself.")
    func shortLives() async throws {
        let deployment = try await Deployment.start()
        var tokens: Set<String> = []
        let client = try deployment.requests()
        // Tokens of 2 s are refreshed after 1.4 s, and the loop runs until then.
        while tokens.count < 3 {
            let reply = try client.ask(Deployment.line("expires-2:ann"))
            tokens.insert(try #require(reply["access_token"] as? String))
            #expect((reply["expires_in"] as? Int).map { $0 <= 2 } == true)
        }
        try await deployment.stop()
    }

    @Test("Every error names its code, and the connection goes on.")
    func errors() async throws {
        let deployment = try await Deployment.start()
        let client = try deployment.requests()
        for (line, code) in [
            ("malformed", "invalid_request"), (#"{"op":"health"}"#, "unsupported_op"),
            (#"{"op":"stats"}"#, "unsupported_op"),
            (Deployment.line("a", #""scope":"admin_classic""#), "forbidden"),
            (Deployment.line("a", #""tenant":"none""#), "unknown_tenant"), (Deployment.line("unknown:a"), "denied"),
            (Deployment.line("user-disabled:a"), "denied"), (Deployment.line("status-500:a"), "unavailable"),
            (Deployment.line("no-token:a"), "bad_upstream"),
            (Deployment.line("never:a", #""timeout":0.05"#), "timeout"),
        ] {
            #expect(try client.ask(line)["error"] as? String == code, "\(line)")
        }
        let denied = try client.ask(Deployment.line("unknown:a"))
        #expect((denied["upstream"] as? [String: Any])?["status"] as? Int == 401)
        #expect((denied["retry_after"] as? Int).map { (1...10).contains($0) } == true)
        #expect(await deployment.tenant.callCount(field: .subject, value: "unknown:a", scope: nil) == 1)
        let throttled = try client.ask(Deployment.line("throttled-13:a"))
        // A hold is prolonged by up to a tenth, and reported in whole seconds, rounded up.
        #expect((throttled["retry_after"] as? Int).map { (13...15).contains($0) } == true)
        #expect(try client.ask(Deployment.line("b"))["error"] as? String == "rate_limited")
        try await deployment.stop()
    }

    @Test("Malformed, oversized and unfinished lines leave the daemon as it was.")
    func badInput() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.token("ann")
        let before = try memory(deployment.daemon.identifier)
        for _ in 0..<20 {
            let client = try deployment.requests()
            try client.send([UInt8](repeating: 0x61, count: 200_000))
            #expect(try client.reply()["error"] as? String == "invalid_request")
            try client.send("")
            #expect(try client.ask(Deployment.line("ann"))["source"] as? String == "cache")
            let deep = String(repeating: "[", count: 60_000)
            #expect(try client.ask(#"{"op":"hello","x":\#(deep)"#)["error"] as? String == "invalid_request")
            try client.send([0x7B, 0xFF, 0xFE, 0x00, 0x0A])
            #expect(try client.reply()["error"] as? String == "invalid_request")
            try client.send(Array(#"{"op":"tok"#.utf8))
        }
        #expect(try memory(deployment.daemon.identifier) - before < 16 * 1_024, "KiB more than before")
        try await deployment.stop()
    }

    @Test("invalidate, revoke, prefetch and hello do what they say.")
    func otherOperations() async throws {
        let deployment = try await Deployment.start()
        let client = try deployment.requests()
        let first = try #require(try client.ask(Deployment.line("ann"))["access_token"] as? String)
        #expect(
            try client.ask(#"{"op":"invalidate","subject":"ann","access_token":"other"}"#)["invalidated"] as? Bool
                == false
        )
        #expect(
            try client.ask(#"{"op":"invalidate","subject":"ann","access_token":"\#(first)"}"#)["invalidated"] as? Bool
                == true
        )
        let second = try #require(try client.ask(Deployment.line("ann"))["access_token"] as? String)
        #expect(second != first)
        #expect(try client.ask(#"{"op":"revoke","subject":"ann"}"#)["revoked"] as? Bool == true)
        #expect(await !deployment.tenant.isLive(second))
        #expect(try client.ask(#"{"op":"revoke","subject":"ann"}"#)["revoked"] as? Bool == false)
        let prefetch = try client.ask(#"{"op":"prefetch","subjects":["p1","p2","p1"]}"#)
        #expect(prefetch["queued"] as? Int == 3)
        for subject in ["p1", "p2"] { #expect(try client.ask(Deployment.line(subject))["access_token"] != nil) }
        #expect(await deployment.tenant.mintCount(field: .subject, value: "p1", scope: nil) == 1)
        let hello = try client.ask(#"{"op":"hello"}"#)
        #expect(hello["tenants"] as? [String] == ["main"])
        #expect(hello["ops"] as? [String] == ["token", "prefetch", "invalidate", "revoke", "hello"])
        try await deployment.stop()
    }

    @Test("A rotated secret costs no caller anything.")
    func rotation() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.token("ann")
        // Another user was denied with 401 just before, so the secret was read within the last second.
        #expect(try deployment.token("unknown:x")["error"] as? String == "denied")
        try await deployment.tenant.setSecrets(["the-new-secret"])
        try deployment.directory.write("the-new-secret", to: "secret")
        #expect(try deployment.token("bob")["access_token"] != nil)
        #expect(try deployment.token("ann")["source"] as? String == "cache")
        try await deployment.stop()
    }

    @Test("No log line, error or statistic holds a secret or a token.")
    func nothingLeaks() async throws {
        let secret = "a-secret-that-is-nowhere-else"
        var standIn = StandInTenant.Configuration()
        standIn.clientSecrets = [secret]
        let deployment = try await Deployment.start(standIn)
        var tokens: [String] = []
        let client = try deployment.requests()
        for subject in ["ann", "expires-20:bob", "narrowed:cid"] {
            tokens.append(try #require(try client.ask(Deployment.line(subject))["access_token"] as? String))
        }
        for subject in ["unknown:a", "status-500:a", "html-200:a", "token-crlf:a", "bad-secret:a", "truncated:a"] {
            try client.send(Deployment.line(subject))
        }
        var shown = ""
        for _ in 0..<6 { shown += try client.line() ?? "" }
        let admin = try deployment.admin()
        for line in [#"{"op":"stats"}"#, #"{"op":"entries"}"#, #"{"op":"reload"}"#] {
            try admin.send(line)
            shown += try admin.line() ?? ""
        }
        try deployment.directory.write("tenants: { main: { client_secret: \(secret) } }", to: "c.yaml")
        try admin.send(#"{"op":"reload"}"#)
        shown += try admin.line() ?? ""
        #expect(shown.contains("invalid_configuration"))
        try await deployment.stop()
        let everything = shown + deployment.written
        for token in tokens + [secret] { #expect(!everything.contains(token.prefix(24))) }
        #expect(!everything.contains("eyJ"), "no part of any token")
    }

    private func memory(_ process: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(line.split(separator: " ").compactMap { Int($0) }.first)
    }
}
