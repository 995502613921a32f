import OperatorReplies
import Testing
import TokenProtocol

@Suite("Replies to operators")
struct OperatorReplyTests {
    private func encode(_ reply: Reply, id: RequestID? = nil) -> String {
        var output = OutputBuffer()
        ReplyEncoder.encode(reply, id: id, into: &output)
        return unsafe output.drain { unsafe String(decoding: $0, as: UTF8.self) }
    }

    @Test("Statistics have their members in order, names sorted, and null where there is no value.")
    func stats() {
        var stats = StatsReply()
        stats.uptime = 1.5
        stats.version = "1.0.0"
        stats.requests.byOperation = ["token": 5, "hello": 1]
        stats.requests.errors = ["denied": 2]
        stats.evictions = ["expired": 1, "capacity": 0]
        stats.uids[1_000, default: .init()].waiting = 1
        stats.uids[33, default: .init()].entries = 7
        stats.tenants["b\n"] = StatsReply.Tenant()
        stats.tenants["a"] = StatsReply.Tenant()
        stats.tenants["a"]?.state = .halfOpen
        stats.tenants["a"]?.openFor = 0.000_000_4
        stats.tenants["a"]?.rateTokens = .infinity
        stats.tenants["a"]?.lastError = .init(code: "denied", description: #"a"b"#, ago: 0.25)
        let quantiles = #"{"p50":0.0,"p90":0.0,"p99":0.0,"p999":0.0,"max":0.0}"#
        let queued = #"{"callers":0,"prefetches":0,"refreshes":0}"#
        let parts = [
            #"{"uptime":1.5,"version":"1.0.0","entries":0,"negative_entries":0,"bytes":0"#,
            #""requests":{"hello":1,"token":5,"hit":0,"miss":0,"coalesced":0,"negative":0,"error":{"denied":2}}"#,
            #""mints":{"started":0,"succeeded":0,"failed":{},"in_flight":0,"queued":{"foreground":0,"ahead":0}}"#,
            #""refreshes":{"due":0,"done":0,"late":0,"skipped_idle":0},"evictions":{"capacity":0,"expired":1}"#,
            #""connections":{"open":0,"accepted":0,"refused":0,"admin":0,"max":0,"unsent":0}"#,
            #""uids":{"33":{"connections":0,"waiting":0,"entries":7,"overloaded":0,"requests":0}"#,
            #""1000":{"connections":0,"waiting":1,"entries":0,"overloaded":0,"requests":0}}"#,
            #""latency":{"hits":\#(quantiles),"mints":\#(quantiles)},"next_refresh":null"#,
            #""tenants":{"a":{"state":"half_open","open_for":0.0,"openings":0,"hold":null,"client":"trusted","refused_clients":0"#,
            #""rate_tokens":null,"rate_per_minute":0,"burst":0,"in_flight":0,"queued":\#(queued),"last_success":null"#,
            #""last_error":{"error":"denied","error_description":"a\"b","ago":0.25}}"#,
            #""b\u000a":{"state":"closed","open_for":null,"openings":0,"hold":null,"client":"trusted","refused_clients":0"#,
            #""rate_tokens":0.0,"rate_per_minute":0,"burst":0,"in_flight":0,"queued":\#(queued)"#,
            #""last_success":null,"last_error":null}}}"#,
        ]
        #expect(encode(.stats(stats)) == parts.joined(separator: ",") + "\n")
    }

    @Test("Health has a list of checks; what a check doesn't say is left out.")
    func health() {
        let checks = [
            HealthReply.Check(name: "hold", tenant: "main", status: .ok),
            HealthReply.Check(name: "access", tenant: nil, status: .degraded, description: "unknown", since: "then"),
        ]
        #expect(
            encode(.health(HealthReply(checks: checks)), id: .integer(7))
                == #"{"id":7,"status":"degraded","checks":[{"check":"hold","tenant":"main","status":"ok"},"#
                + #"{"check":"access","status":"degraded","description":"unknown","since":"then"}]}"# + "\n"
        )
        #expect(encode(.health(HealthReply(checks: []))) == #"{"status":"ok","checks":[]}"# + "\n")
    }

    @Test("An explanation has the token's and the tenant's members beside its own.")
    func explain() {
        var reply = ExplainReply(state: .due, source: .cache, reason: "why", tenant: ExplainReply.Tenant())
        #expect(
            encode(.explained(reply))
                == #"{"state":"due","source":"cache","reason":"why","next_refresh":null,"last_error":null,"#
                + #""backoff":null,"circuit":"closed","client":"trusted","hold":null,"wait":0.0}"# + "\n"
        )
        reply.token = .init(expiresIn: 90, expiresAt: "then", age: 210, lastUsed: nil, fingerprint: "abc")
        reply.refresh = .init(seconds: nil, cause: .underWay)
        let error = ErrorReply(.unavailable, "no", retryAfter: 1, cause: "tls_expired")
        reply.lastError = ExplainReply.Failure(error)
        #expect(
            encode(.explained(reply))
                == #"{"state":"due","source":"cache","reason":"why","expires_in":90,"expires_at":"then","age":210,"#
                + #""fingerprint":"abc","next_refresh":{"in":null,"cause":"under_way"},"last_error":"#
                + encode(.error(error)).dropLast() + #","backoff":null,"circuit":"closed","client":"trusted","#
                + #""hold":null,"wait":0.0}"# + "\n"
        )
    }

    @Test("What a failure says of the tenant's answer is what the error reply says.")
    func upstream() {
        var reply = ExplainReply(state: .denied, source: .error, reason: "why", tenant: ExplainReply.Tenant())
        let error = ErrorReply(.denied, "no", upstream: .init(status: 401, code: "OAUTH-14"))
        reply.lastError = ExplainReply.Failure(error)
        #expect(encode(.explained(reply)).contains(#""last_error":"# + encode(.error(error)).dropLast()))
    }
}
