import Foundation
import OperatorReplies
import Testing
import tokencachectl

@Suite("The views of the operator's tool")
struct ViewTests {
    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try Reply(Data(text.utf8)).decode(type)
    }

    @Test(
        "No number in a reply crashes the tool.",
        arguments: ["1e300", "-1e300", "1e18", "0.1e-300", "9223372036854775807"]
    )
    func anyNumber(number: String) throws {
        let stats = """
            {"uptime":\(number),"next_refresh":\(number),"requests":{"hit":9223372036854775807,"miss":9223372036854775807,
             "coalesced":9223372036854775807},"latency":{"hits":{"p50":\(number),"max":\(number)}},
             "tenants":{"main":{"hold":\(number),"rate_tokens":\(number),"last_success":\(number)}}}
            """
        #expect(StatsView(try decode(StatsReply.self, stats)).text.contains("daemon"))
        let seconds = "\"wait\":\(number),\"hold\":\(number),\"expires_in\":\(number)"
        let token = "\"expires_at\":\"x\",\"last_used\":\(number),\"fingerprint\":\"abc\""
        let explain = "{\"state\":\"fresh\",\"source\":\"cache\",\"reason\":\"x\",\(seconds),\(token)}"
        let text = ExplainView(try decode(ExplainReply.self, explain)).text
        #expect(text.contains("next answer") && text.contains("token        abc, "))
    }

    @Test("Statistics are aligned lines that leave zeros out.")
    func stats() throws {
        let text = StatsView(
            try decode(
                StatsReply.self,
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
        #expect(text.contains("hits         3 (75 % of token requests)"))
        #expect(text.contains("errors       2 denied\n"))
        #expect(text.contains("hits took    p50 12 µs, p99 1.0 ms, p99.9 200.0 ms, longest 3.0 s"))
        #expect(text.contains("mints took   none yet"))
        #expect(
            text.contains(
                """
                uid 33       5 connections, 2 waiting, 7 tokens, 4 rejected or displaced
                uid 1000     1 connections, 0 waiting, 0 tokens, 0 rejected or displaced
                """
            )
        )
        #expect(
            text.contains(
                "tenant main  circuit closed, takes no calls for 7.0 s, client suspected, 12 calls available, "
                    + "queued: 1 for callers, 0 prefetches, 2 refreshes, last success 2 min ago"
            )
        )
    }

    @Test("Statistics show the users who were provisioned, and the API that does it, where a tenant allows that.")
    func provisions() throws {
        let text = StatsView(
            try decode(
                StatsReply.self,
                #"""
                {"users":{"created":4,"changed":3,"found":2,"remembered":9,"refused":1,"under_way":5,"tokens_revoked":7},
                 "tenants":{"main":{"state":"closed","client":"trusted","last_success":130,"api":{"state":"open",
                 "open_for":12,"hold":30,"rate_tokens":17.5,"in_flight":1,"queued":6}}}}
                """#
            )
        ).text
        #expect(
            text.contains(
                "\nusers        4 created, 3 put into other groups, 2 found as requested, 9 remembered, 1 refused, "
                    + "5 under way; 7 tokens revoked everywhere\n"
            ),
            "\(text)"
        )
        #expect(
            text.contains(
                "API for users circuit open, retried in 12.0 s, 17 calls available, 1 in flight, 6 queued, "
                    + "takes no calls for 30.0 s, "
            ),
            "\(text)"
        )
    }

    @Test("Health is one word, and a line for each thing that is wrong.")
    func health() throws {
        let text = HealthView(
            try decode(
                HealthReply.self,
                #"""
                {"status":"failing","checks":[{"check":"hold","tenant":"main","status":"ok"},{"check":"client",
                "tenant":"main","status":"failing","description":"it is\u001b refused","since":"2026-11-23T22:10:00Z"}]}
                """#
            )
        ).text
        #expect(text == "failing\nfailing  client of main since 2026-11-23T22:10:00Z: it is? refused")
    }

    @Test("An explanation is aligned lines that leave out what is absent.")
    func explain() throws {
        let full = ExplainView(
            try decode(
                ExplainReply.self,
                #"""
                {"state":"due","source":"cache","reason":"it is there","expires_in":90,"expires_at":"x","age":210,"last_used":3,"fingerprint":"abc",
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
                ExplainReply.self,
                #"{"state":"absent","source":"error","reason":"no","circuit":"open","client":"refused","hold":4,"wait":4}"#
            )
        ).text
        #expect(empty.contains("next answer  an error: no"))
        #expect(empty.hasSuffix("circuit open, client refused, takes no calls for 4.0 s, a call would wait 4.0 s"))
    }

    @Test(
        "An explanation tells the fleet's part.",
        arguments: [
            (#"{"connected":true,"next":"none"}"#, "connected, the engine is not asked"),
            (#"{"connected":false,"next":"none"}"#, "away, the engine is not asked"),
            (#"{"connected":true,"next":"lookup"}"#, "connected, the engine is asked first"),
            (
                #"{"connected":true,"next":"waits_for_other","in":4.5}"#,
                "connected, the engine says that another machine mints the token: a request waits for it, up to 4.5 s"
            ),
            (
                #"{"connected":true,"next":"verification"}"#,
                "connected, the engine is asked if the token still holds, as events were lost"
            ),
            (#"{"connected":true,"next":"later\u001b"}"#, "connected, the engine later?"),
        ]
    )
    func explainFleet(fleet: String, line: String) throws {
        let reply = #"{"state":"absent","source":"fleet","reason":"so","fleet":\#(fleet)}"#
        let text = ExplainView(try decode(ExplainReply.self, reply)).text
        #expect(text.contains("next answer  from another machine: so\n"))
        #expect(text.contains("fleet        \(line)\n"))
    }

    @Test("Statistics tell the fleet in one line.")
    func statsOfFleet() throws {
        let reply = #"{"fleet":{"connected":true,"machines":3,"epochs":[],"hits":4,"left_to_others":5,"keys":[]}}"#
        let text = StatsView(try decode(StatsReply.self, reply)).text
        #expect(
            text.contains("connected, 3 machines, 4 tokens from other machines, 5 mints left to others, none failed\n")
        )
        #expect(!StatsView(StatsReply()).text.contains("fleet"))
    }

    @Test("Statistics of an older daemon, which lacks members, are shown.")
    func sparse() throws {
        let text = StatsView(try decode(StatsReply.self, #"{"tenants":{"main":{}}}"#)).text
        #expect(text.contains("tokens") && text.contains("tenant main  circuit unknown"))
    }

    @Test("Words of a later daemon are shown as they are, without characters that steer a terminal.")
    func laterWords() throws {
        let health = #"{"status":"melting\u001b","checks":[{"check":"new","status":"odd"}]}"#
        #expect(HealthView(try decode(HealthReply.self, health)).text == "melting?\nodd  new: no description")
        let explain = #"{"state":"resting","source":"attic\u001b","reason":"so"}"#
        #expect(ExplainView(try decode(ExplainReply.self, explain)).text.hasPrefix("next answer  attic?: so\n"))
    }

    @Test("Entries are a table that no user name can forge.")
    func entries() throws {
        let text = EntriesView.text(
            of: try decode(
                EntriesPage.self,
                #"""
                {"entries":[{"tenant":"main","subject":"a\u001b[31m\nb\u202e","scope":"s","state":"fresh","age":5,
                "expires_in":8000,"expires_at":"x","last_used":0,"fingerprint":"abc"},
                {"tenant":"main","user_id":"u","scope":"s","state":"due","age":5,"expires_in":1,"expires_at":"x",
                "fingerprint":"def"}],"next":"7"}
                """#
            )
        )
        let lines = text.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("TENANT  USER"))
        #expect(lines[1].contains("a?[31m?b?") && lines[1].contains("2 h 13 min"))
        #expect(lines[2].contains("id:u") && lines[2].contains("never"))
        #expect(lines[3] == "more: --after 7")
    }

    @Test("A client's token is shown as one, with all of the client's scopes or with some.")
    func clients() throws {
        let entry =
            #""client":"back\u001bend","state":"fresh","age":5,"expires_in":8,"expires_at":"x","fingerprint":"f""#
        let page = #"{"entries":[{"tenant":"main","scope":"",\#(entry)},{"tenant":"main","scope":"a",\#(entry)}]}"#
        let lines = EntriesView.text(of: try decode(EntriesPage.self, page)).split(separator: "\n")
        #expect(lines[1].hasPrefix("main    client:back?end  -      fresh"))
        #expect(lines[2].hasPrefix("main    client:back?end  a      fresh"))
        func key(_ scope: String) throws -> String {
            let key = #"{"tenant":"main","client":"backend","scope":"\#(scope)"}"#
            let reply = #"{"key":\#(key),"state":"absent","source":"tenant","reason":"so"}"#
            return ExplainView(try decode(ExplainReply.self, reply)).text
        }
        #expect(try key("").hasPrefix("key          client:backend, tenant main, all scopes of the client\n"))
        #expect(try key("a b").hasPrefix("key          client:backend, tenant main, scope a b\n"))
    }
}
