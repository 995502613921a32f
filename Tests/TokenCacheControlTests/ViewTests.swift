import Foundation
import Testing
import TokenCacheClient
import tokencachectl

@Suite("What the operator's tool shows")
struct ViewTests {
    private func decode<Document: Decodable>(_ type: Document.Type, _ text: String) throws -> Document {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    @Test(
        "No number of a server's ends the tool.",
        arguments: ["1e300", "-1e300", "1e18", "0.1e-300", "9223372036854775807"]
    )
    func anyNumber(number: String) throws {
        let stats = """
            {"uptime":\(number),"next_refresh":\(number),"requests":{"hit":9223372036854775807,"miss":9223372036854775807,
             "coalesced":9223372036854775807},"latency":{"hits":{"p50":\(number),"max":\(number)}},
             "tenants":{"main":{"hold":\(number),"rate_tokens":\(number),"last_success":\(number)}}}
            """
        #expect(StatsView(try decode(StatsDocument.self, stats)).text.contains("daemon"))
        let seconds = "\"wait\":\(number),\"hold\":\(number),\"expires_in\":\(number)"
        let explain = "{\"state\":\"fresh\",\"source\":\"cache\",\"reason\":\"x\",\(seconds)}"
        #expect(ExplainView(try decode(ExplainDocument.self, explain)).text.contains("next answer"))
    }

    @Test("The statistics are aligned lines, with what is nothing left out.")
    func stats() throws {
        let text = StatsView(
            try decode(
                StatsDocument.self,
                #"""
                {"uptime":90,"version":"1.2.3","entries":5,"negative_entries":1,"bytes":4096,
                 "requests":{"hit":3,"miss":1,"coalesced":0,"error":{"denied":2,"timeout":0}},
                 "latency":{"hits":{"p50":0.0000123,"p99":0.001,"p999":0.2,"max":3}},
                 "uids":{"1000":{"connections":1},"33":{"connections":5,"waiting":2,"entries":7,"overloaded":4}},
                 "tenants":{"main":{"state":"closed","hold":7,"client":"suspected","queued":{"callers":1,"refreshes":2},
                 "rate_tokens":12.7,"last_success":130,"last_error":null}}}
                """#
            )
        ).text
        #expect(text.contains("daemon       1.2.3, up 90.0 s"))
        #expect(text.contains("hits         3 (75 % of those for tokens)"))
        #expect(text.contains("errors       2 denied\n"))
        #expect(text.contains("hits took    p50 12 µs, p99 1.0 ms, p99.9 200.0 ms, longest 3.0 s"))
        #expect(text.contains("mints took   none yet"))
        #expect(
            text.contains(
                """
                uid 33       5 connections, 2 waiting, 7 tokens, 4 refused for others' sake
                uid 1000     1 connections, 0 waiting, 0 tokens, 0 refused for others' sake
                """
            )
        )
        #expect(
            text.contains(
                "tenant main  circuit closed, wants no calls for 7.0 s, client suspected, 12 calls at hand, "
                    + "queued 1 callers', 0 prefetches, 2 refreshes, last success 2 min ago"
            )
        )
    }

    @Test("Health is a word, and a line for each thing that is wrong.")
    func health() throws {
        let text = HealthView(
            try decode(
                HealthDocument.self,
                #"""
                {"status":"failing","checks":[{"check":"hold","tenant":"main","status":"ok"},{"check":"client",
                "tenant":"main","status":"failing","description":"it is\u001b refused","since":"2026-11-23T22:10:00Z"}]}
                """#
            )
        ).text
        #expect(text == "failing\nfailing  client of main since 2026-11-23T22:10:00Z: it is? refused")
    }

    @Test("What explains a user's answer is aligned lines; what isn't there is left out.")
    func explain() throws {
        let full = ExplainView(
            try decode(
                ExplainDocument.self,
                #"""
                {"state":"due","source":"cache","reason":"it is there","expires_in":90,"last_used":3,"fingerprint":"abc",
                "next_refresh":{"in":2.5,"cause":"backoff"},"last_error":{"error":"unavailable","error_description":"down"},
                "backoff":2.5,"circuit":"closed","client":"trusted","hold":null,"wait":0}
                """#
            )
        ).text
        #expect(full.contains("next answer  from the cache: it is there\n"))
        #expect(full.contains("token        abc, 90.0 s left, last asked for 3.0 s ago\n"))
        #expect(full.contains("refresh      in 2.5 s (backoff)\n"))
        #expect(full.contains("last error   unavailable: down\n"))
        #expect(full.hasSuffix("tenant       circuit closed, client trusted"))
        let empty = ExplainView(
            try decode(
                ExplainDocument.self,
                #"{"state":"absent","source":"error","reason":"no","circuit":"open","client":"refused","hold":4,"wait":4}"#
            )
        ).text
        #expect(empty.contains("from neither: no"))
        #expect(empty.hasSuffix("circuit open, client refused, wants no calls for 4.0 s, a call would wait 4.0 s"))
    }

    @Test("An older daemon's statistics, with members missing, are shown as far as they go.")
    func sparse() throws {
        #expect(StatsView(try decode(StatsDocument.self, "{}")).text.contains("tokens"))
    }

    @Test("Entries are a table that no user's name can forge.")
    func entries() throws {
        let text = EntriesView(
            try decode(
                EntriesDocument.self,
                #"""
                {"entries":[{"tenant":"main","subject":"a\u001b[31m\nb\u202e","scope":"s","state":"fresh","age":5,
                "expires_in":8000,"expires_at":"x","last_used":0,"fingerprint":"abc"},
                {"tenant":"main","user_id":"u","scope":"s","state":"due","age":5,"expires_in":1,"expires_at":"x",
                "fingerprint":"def"}],"next":"7"}
                """#
            )
        ).text
        let lines = text.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("TENANT  USER"))
        #expect(lines[1].contains("a?[31m?b?") && lines[1].contains("2 h 13 min"))
        #expect(lines[2].contains("id:u") && lines[2].contains("never"))
        #expect(lines[3] == "more: --after 7")
    }

    @Test(
        "The exit status tells a script what went wrong.",
        arguments: [
            ("unreachable", 69), ("bad_reply", 76), ("denied", 77), ("forbidden", 77), ("rate_limited", 75),
            ("unavailable", 75), ("timeout", 75), ("overloaded", 75), ("shutting_down", 75), ("bad_upstream", 76),
            ("invalid_request", 65), ("unsupported_op", 65), ("invalid_configuration", 78), ("unknown_tenant", 78),
            ("new", 1), ("closed", 1),
        ] as [(String, Int32)]
    )
    func exitStatus(code: String, status: Int32) {
        #expect(ExitStatus.of(TokenCacheError.Code(rawValue: code)) == status)
    }
}
