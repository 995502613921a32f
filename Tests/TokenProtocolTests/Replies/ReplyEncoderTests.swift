import OperatorReplies
import Secrets
import Testing
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Replies")
struct ReplyEncoderTests {
    private func encode(_ reply: Reply, id: RequestID? = nil) -> String {
        var output = OutputBuffer()
        ReplyEncoder.encode(reply, id: id, into: &output)
        return unsafe output.drain { unsafe String(decoding: $0, as: UTF8.self) }
    }

    private func token(_ text: String = "eyJ.a-b_c") -> GrantedToken {
        GrantedToken(AccessToken(text), scope: "user_default", expiresAt: WallTime(seconds: 1_795_471_800))
    }

    @Test("A token reply has RFC 6749's members, and its source.")
    func tokenReply() {
        #expect(
            encode(.token(TokenReply(token: token(), expiresIn: 21_480, source: .cache)), id: .integer(7))
                == #"{"id":7,"access_token":"eyJ.a-b_c","token_type":"Bearer","expires_in":21480,"#
                + #""expires_at":"2026-11-23T22:10:00Z","scope":"user_default","source":"cache"}"# + "\n"
        )
        #expect(
            encode(.token(TokenReply(token: token(), expiresIn: 9, source: .tenant, isStale: true, meetsMinTTL: false)))
                .hasSuffix(#""source":"tenant","stale":true,"min_ttl_met":false}"# + "\n")
        )
    }

    @Test("A token and scopes with characters that JSON escapes are sent unchanged.")
    func escapedToken() throws {
        let odd = #"a"b\c"#
        let granted = GrantedToken(AccessToken(odd), scope: odd, expiresAt: WallTime(seconds: 0))
        let line = encode(.token(TokenReply(token: granted, expiresIn: 1, source: .cache)))
        #expect(try members(line)["access_token"] == .text(odd))
        #expect(try members(line)["scope"] == .text(odd))
    }

    @Test(
        "A time is written in the form of RFC 3339, in UTC, as Foundation writes it.",
        arguments: [
            0, 1, 59, 3_599, 86_399, 86_400, 5_097_599, 5_097_600, 68_169_599, 68_169_600, 951_782_399, 951_868_800,
            1_078_012_800, 1_795_471_800, 4_107_542_399, 4_107_542_400, .max,
        ] as [UInt32]
    )
    func wallTime(seconds: UInt32) {
        let date = Date(timeIntervalSince1970: Double(seconds))
        #expect(WallTime(seconds: seconds).text == date.formatted(.iso8601))
    }

    @Test("Every day is written as Foundation writes it.")
    func days() {
        for day in stride(from: UInt32(0), to: UInt32.max / 86_400, by: 1) {
            let seconds = day * 86_400 + day % 86_400
            let text = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
            guard WallTime(seconds: seconds).text == text else {
                Issue.record("\(WallTime(seconds: seconds).text) is not \(text)")
                return
            }
        }
    }

    @Test(
        "Each reply has the members that the protocol names.",
        arguments: [
            (Reply.prefetch(queued: 2, cached: 1, refused: 0), #"{"queued":2,"cached":1}"#),
            (.prefetch(queued: 2, cached: 1, refused: 3), #"{"queued":2,"cached":1,"refused":3}"#),
            (.invalidated(true, retryAfter: nil), #"{"invalidated":true}"#),
            (.invalidated(false, retryAfter: 4), #"{"invalidated":false,"retry_after":4}"#),
            (.revoked(true, upstream: true), #"{"revoked":true}"#),
            (.revoked(true, upstream: false), #"{"revoked":true,"upstream":false}"#),
            (.revoked(false, upstream: nil), #"{"revoked":false}"#),
            (.revokedEverywhere(true, upstream: true, count: 3), #"{"revoked":true,"upstream_revoked":3}"#),
            (
                .revokedEverywhere(false, upstream: false, count: 0),
                #"{"revoked":false,"upstream":false,"upstream_revoked":0}"#
            ),
            (
                .provisioned(ProvisionReply(userID: "7", status: "active", isCreated: true)),
                #"{"user_id":"7","status":"active","created":true,"groups_changed":false}"#
            ),
            (
                .provisioned(ProvisionReply(userID: "7", status: "active", isFromCache: true)),
                #"{"user_id":"7","status":"active","created":false,"groups_changed":false,"source":"cache"}"#
            ),
            (.evicted, #"{"evicted":true}"#), (.flushed(1_234_567), #"{"flushed":1234567}"#),
            (.reloaded, #"{"reloaded":true}"#), (.holdsReleased(2), #"{"released":2}"#),
            (
                .hello(HelloReply(version: "1.0.0", operations: [.token, .hello], tenants: ["main"])),
                #"{"server":"tokencached","version":"1.0.0","protocol":1,"ops":["token","hello"],"tenants":["main"],"max_line":65536}"#
            ),
            (
                .hello(
                    HelloReply(
                        version: "1",
                        operations: [],
                        tenants: [],
                        fleet: FleetSummary(isConnected: true, since: "then", machines: 3)
                    )
                ),
                #"{"server":"tokencached","version":"1","protocol":1,"ops":[],"tenants":[],"fleet":{"connected":true,"since":"then","machines":3},"max_line":65536}"#
            ),
            (
                .error(ErrorReply(.rateLimited, "wait", retryAfter: 13)),
                #"{"error":"rate_limited","error_description":"wait","retry_after":13}"#
            ),
            (
                .error(ErrorReply(.unavailable, "no", retryAfter: 1, cause: "tls_expired")),
                #"{"error":"unavailable","error_description":"no","retry_after":1,"upstream":{"code":"tls_expired"}}"#
            ),
            (
                .error(ErrorReply(.denied, "no", upstream: .init(status: 401, code: "OAUTH-14", title: "Bad"))),
                #"{"error":"denied","error_description":"no","upstream":{"status":401,"code":"OAUTH-14","title":"Bad"}}"#
            ),
        ]
    )
    func replies(reply: Reply, line: String) {
        #expect(encode(reply) == line + "\n")
    }

    @Test("An id is returned as it was written.", arguments: [#""a\u0041""#, #""""#, #""日本""#])
    func id(json: String) {
        #expect(encode(.evicted, id: .text(json: Array(json.utf8))) == #"{"id":\#(json),"evicted":true}"# + "\n")
    }

    @Test("Output of any size is returned unchanged, and is empty once it was sent.")
    func growth() {
        var output = OutputBuffer()
        var expected = ""
        for number in 0..<3_000 {
            let reply = Reply.token(TokenReply(token: token("t\(number)"), expiresIn: number, source: .cache))
            ReplyEncoder.encode(reply, id: .integer(Int64(number)), into: &output)
            expected += encode(reply, id: .integer(Int64(number)))
        }
        let text = unsafe output.drain { unsafe String(decoding: $0, as: UTF8.self) }
        #expect(text == expected)
        #expect(output.isEmpty)
        ReplyEncoder.encode(.evicted, id: nil, into: &output)
        #expect(unsafe output.drain { unsafe String(decoding: $0, as: UTF8.self) } == #"{"evicted":true}"# + "\n")
    }

    @Test("Users' names can't end a line or control a terminal.")
    func entries() throws {
        let name = "a\n\u{1b}[31m\u{7f}\"\\\u{85}\u{9B}31m\u{2028}\u{202E}é👍"
        let entry = EntriesReply.Entry(
            tenant: "main",
            user: UserLookup(field: .subject, value: name),
            scopes: try #require(ScopeSet("a")),
            state: .fresh,
            age: 1,
            expiresIn: 2,
            expiresAt: "x",
            lastUsed: 3,
            nextRefresh: 4,
            fingerprint: "f"
        )
        let line = encode(.entries(EntriesReply(entries: [entry], next: "5")))
        let categories: Set<Unicode.GeneralCategory> = [.control, .format, .lineSeparator, .paragraphSeparator]
        #expect(!line.dropLast().unicodeScalars.contains { categories.contains($0.properties.generalCategory) })
        guard case .list(let entries)? = try members(line)["entries"], case .object(let shown)? = entries.first else {
            return #expect(Bool(false))
        }
        #expect(shown["subject"] == .text(name))
        #expect(shown["next_refresh"] == .number(4))
        #expect(try members(line)["next"] == .text("5"))
        var unplanned = entry
        unplanned.nextRefresh = nil
        #expect(encode(.entries(EntriesReply(entries: [unplanned], next: nil))).contains(#""next_refresh":null"#))
    }

    @Test("The statistics have the members that the protocol names.")
    func stats() throws {
        var stats = StatsReply()
        stats.version = "1.0.0"
        stats.tenants["main"] = StatsReply.Tenant()
        stats.requests.byOperation["token"] = 5
        let line = try members(encode(.stats(stats)))
        for name in [
            "uptime", "version", "entries", "negative_entries", "bytes", "requests", "mints", "refreshes", "evictions",
            "connections", "latency", "next_refresh", "tenants",
        ] {
            #expect(line[name] != nil, "\(name)")
        }
        guard case .object(let requests)? = line["requests"], case .object(let mints)? = line["mints"] else {
            return #expect(Bool(false))
        }
        #expect(requests["token"] == .number(5))
        for name in ["hit", "miss", "coalesced", "negative", "error"] { #expect(requests[name] != nil, "\(name)") }
        for name in ["started", "succeeded", "failed", "in_flight", "queued"] { #expect(mints[name] != nil, "\(name)") }
    }

    @Test(
        "Metrics are one JSON string, whatever is in the text.",
        arguments: ["", "# HELP a \"B\" \\\\ \na{x=\"\\\"\"} 1\n", "a{x=\"é\u{2028}\u{202E}\u{1}\"} 1\n"]
    )
    func metrics(_ text: String) throws {
        let line = encode(.metrics(MetricsReply(contentType: "text/plain; version=0.0.4", text: text)))
        #expect(line.dropLast().unicodeScalars.allSatisfy { !$0.properties.isDefaultIgnorableCodePoint && $0 != "\n" })
        let members = try members(line)
        #expect(members["content_type"] == .text("text/plain; version=0.0.4"))
        #expect(members["body"] == .text(text))
    }
}
