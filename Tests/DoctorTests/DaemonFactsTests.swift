import Doctor
import Foundation
import OperatorReplies
import Testing
import TokenCacheClient

@Suite("The judgement of the configuration, the daemon and its answers")
struct DaemonFactsTests {
    @Test("Each fault of a configuration is a finding, and a probable mistake is a warning.")
    func configuration() {
        var facts = ConfigurationFacts(path: "/c.yaml")
        facts.tenants = ["a", "b"]
        facts.notes = ["access has no rules"]
        #expect(facts.findings.map(\.status) == [.ok, .warning])
        #expect(facts.findings[0].found == "/c.yaml is valid: 2 tenants")
        facts.faults = ["/c.yaml:1: x: is not a known key", "/c.yaml:2: y"]
        #expect(facts.findings.map(\.status) == [.failed, .failed, .warning])
        facts.faults = []
        facts.wanted = "c"
        #expect(facts.findings.map(\.advice) == ["name one of these with --tenant: a, b"])
        facts.obstacle = .denied
        #expect(facts.findings.map(\.found) == ["this user may not read /c.yaml"])
        #expect(facts.findings[0].advice?.contains("as root") == true)
    }

    @Test("A daemon of another version is a warning.")
    func version() {
        #expect(DaemonFacts(version: .success("1"), toolVersion: "1").finding.status == .ok)
        let other = DaemonFacts(version: .success("1"), toolVersion: "2").finding
        #expect(other.status == .warning)
        #expect(other.advice?.contains("systemctl restart tokencached") == true)
    }

    @Test(
        "A daemon that gives no answer fails, with an advice for each reason.",
        arguments: [
            (.timeout, "stopped or hung"), (.forbidden, "section access"), (.badReply, "another program"),
            (.overloaded, "tokencachectl stats"), (.unreachable, "journalctl"),
        ] as [(TokenCacheError.Code, String)]
    )
    func silence(code: TokenCacheError.Code, advice: String) {
        let facts = DaemonFacts(version: .failure(TokenCacheError(code, "no")), toolVersion: "1")
        #expect(facts.finding.status == .failed)
        #expect(facts.finding.advice?.contains(advice) == true)
        #expect(facts.isHung == (code == .timeout))
    }

    private func limits(files: Int?, memory: Int?, mayLockAll: Bool = false) -> [Finding] {
        LimitFacts(
            files: files,
            lockedMemory: memory,
            mayLockAll: mayLockAll,
            maxConnections: 4_096,
            reservedFiles: 72,
            maxEntries: 100_000
        ).findings
    }

    @Test("Limits below the configuration are warnings that name the setting of the unit.")
    func limits() {
        #expect(limits(files: 4_168, memory: 133_100_000).map(\.status) == [.ok, .ok])
        #expect(limits(files: .max, memory: .max).map(\.status) == [.ok, .ok])
        let low = limits(files: 1_024, memory: 8_388_608)
        #expect(low.map(\.status) == [.warning, .warning])
        #expect(low[0].found.contains("allows 952 connections"))
        #expect(low[0].advice?.contains("LimitNOFILE= of the unit to 4168") == true)
        #expect(low[1].found.contains("8192 KiB may be locked"))
        #expect(low[1].advice?.contains("LimitMEMLOCK=") == true)
        #expect(limits(files: nil, memory: nil, mayLockAll: true).map(\.status) == [.ok])
        #expect(limits(files: nil, memory: nil).isEmpty)
    }

    private func token(_ result: Result<TokenFacts.Received, TokenCacheError>) -> Finding {
        TokenFacts(tenant: nil, subject: "ann", result: result).finding
    }

    @Test("A token shows its source and the time that is left. A stale one is a warning.")
    func token() {
        #expect(
            token(.success(.init(source: "cache", expiresIn: 3_600))).found
                == "ann gets a token: from the cache, 60 min left"
        )
        let stale = token(.success(.init(source: "cache", expiresIn: 60, isStale: true)))
        #expect(stale.status == .warning)
        #expect(stale.advice == "tokencachectl explain ann shows the reason")
    }

    @Test(
        "An error shows the tenant's words, and each has its advice.",
        arguments: [
            (.denied, 401, "client_id"), (.denied, 403, "published and trusted"),
            (.denied, 400, "exactly this subject"),
            (.forbidden, nil, "section access"), (.unknownTenant, nil, "default_tenant"),
            (.rateLimited, 429, "tokencachectl stats"), (.unavailable, nil, "tokencachectl health"),
            (.timeout, nil, "tokencachectl explain"), (.badUpstream, 200, "proxy"), (.closed, nil, "explain ann"),
        ] as [(TokenCacheError.Code, Int?, String)]
    )
    func error(code: TokenCacheError.Code, status: Int?, advice: String) {
        let upstream = status.map { TokenCacheError.Upstream(status: $0, code: "OAUTH-9", title: "A\u{1B}title") }
        let finding = token(.failure(TokenCacheError(code, "no", retryAfter: .seconds(7), upstream: upstream)))
        #expect(finding.status == .failed)
        let words = status.map { " (the tenant: status \($0), OAUTH-9, A?title)" } ?? ""
        #expect(finding.found == "ann gets no token: \(code): no\(words); try again in 7 s")
        #expect(finding.advice?.contains(advice) == true, "\(finding)")
    }

    @Test("What the daemon finds wrong is a warning or a failure, and an unknown status is a failure.")
    func health() {
        let checks = ["circuit", "hold", "client", "access", "socket", "new"].map {
            HealthReply.Check(name: $0, tenant: "main", status: .degraded, description: "d", since: "s")
        }
        let failing = HealthReply.Check(name: "client", tenant: nil, status: .failing)
        let unknown = HealthReply.Check(name: "client", tenant: nil, status: "new")
        let findings = HealthReply(checks: checks + [failing, unknown]).findings
        #expect(findings.map(\.status) == Array(repeating: .warning, count: 6) + [.failed, .failed])
        #expect(findings[0].found == "circuit: d, since s")
        #expect(Set(findings.map(\.advice)).count == 6)
        #expect(HealthReply(checks: []).findings.map(\.status) == [.ok])
    }

    private func stats(_ text: String) throws -> StatsReply {
        try JSONDecoder().decode(StatsReply.self, from: Data(text.utf8))
    }

    private func activity(_ tenant: String, done: Int = 100, late: Int = 0, lost: Int? = nil) throws -> [Finding] {
        let stats = try stats(
            #"{"uptime":9000,"refreshes":{"due":1,"done":\#(done),"late":\#(late)},"tenants":{"main":\#(tenant)}}"#
        )
        return ActivityFacts(stats: stats, lostRecords: lost, tenants: ["main", "unknown"]).findings
    }

    @Test("Failed calls, late refreshes and lost audit records are warnings.")
    func activity() throws {
        #expect(
            try activity("{}").map(\.found) == [
                "no call was made since the daemon's start", "100 refreshes done, 0 of them late, in 2 h",
            ]
        )
        #expect(try activity(#"{"last_success":5}"#).map(\.status) == [.ok, .ok])
        let error = #""last_error":{"error":"unavailable","error_description":"down","ago":5}"#
        #expect(try activity(#"{"last_success":1,\#(error)}"#)[0].status == .ok)
        let failed = try activity(#"{"last_success":130,\#(error)}"#)[0]
        #expect(failed.status == .warning)
        #expect(failed.found == "the last call failed 5 s ago, the last success was 2 min ago: unavailable: down")
        #expect(try activity("{\(error)}")[0].found.contains("none has succeeded"))
        let denial = #""last_error":{"error":"denied","error_description":"no","ago":5}"#
        #expect(try activity(#"{"last_success":130,\#(denial)}"#)[0].status == .ok)
        #expect(try activity("{\(denial)}")[0].status == .warning)
        #expect(try activity("{}", late: 5)[1].status == .ok)
        #expect(try activity("{}", late: 6)[1].status == .warning)
        #expect(try activity("{}", lost: 3).last?.found == "3 records of the audit trail were lost")
    }

    @Test("No number of the daemon's crashes the judgement.", arguments: ["1e300", "-1e300", "9223372036854775807"])
    func anyNumber(number: String) throws {
        let error = #""last_error":{"error":"x","error_description":"x","ago":\#(number)}"#
        _ = try activity(#"{"last_success":\#(number)}"#)
        _ = try activity("{\(error)}")
    }

    @Test("A diagnosis is JSON with the worst status, and its texts are safe to print.")
    func json() throws {
        let findings = [
            Finding(.token, "a\nb", .warning, "one\u{1B}[31m", "two\r"), Finding(.unit, nil, .skipped, "none"),
        ]
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let json = String(decoding: try encoder.encode(Diagnosis(findings)), as: UTF8.self)
        #expect(
            json == """
                {"findings":[{"advice":"two?","check":"token","found":"one?[31m","status":"warning","subject":"a?b"},\
                {"check":"unit","found":"none","status":"skipped"}],"status":"warning"}
                """
        )
        #expect(Diagnosis(findings).firstFailure == nil)
        let failed = Finding(.unit, nil, .failed, "x", "y")
        #expect(Diagnosis([failed] + findings).firstFailure == failed)
    }
}
