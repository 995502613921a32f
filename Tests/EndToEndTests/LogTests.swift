import Foundation
import StandInTenant
import TestSupport
import Testing

@Suite("The log of the real daemon", .serialized)
struct LogTests {
    private func object(_ line: Substring) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
    }

    private func configure(_ deployment: Deployment, _ log: String) throws {
        let text = Deployment.configuration(deployment.tenant, deployment.directory, log: log)
        try deployment.directory.write(text, to: "c.yaml")
    }

    @Test("A tenant that is down makes one record, however many callers meet it, and each line is one JSON object.")
    func outage() async throws {
        let deployment = try await Deployment.start(log: "{ format: json }")
        try await deployment.tenant.stopListening()
        for number in 0..<40 {
            #expect(try deployment.token("u\(number)", #""timeout":1"#)["error"] as? String == "unavailable")
        }
        try await deployment.tenant.startListening()
        try await deployment.stop()
        let entries = try deployment.written.split(separator: "\n").map(object)
        let outages = entries.filter { ($0["event"] as? String)?.hasPrefix("outage") == true }
        #expect(outages.count == 1, "\(deployment.written)")
        #expect(outages.first?["msg"] as? String == "calls to the tenant fail")
        #expect(outages.first?["level"] as? String == "error")
        #expect(outages.first?["code"] as? String == "connection_refused")
        #expect(outages.first?["failed"] as? Int == 1)
        #expect(outages.first?["tenant"] as? String == "main")
        #expect(entries.allSatisfy { $0["level"] as? String != "debug" })
    }

    @Test("Without a journal and a terminal the log is in logfmt, and has at no level a token or a secret.")
    func logfmt() async throws {
        let deployment = try await Deployment.start(log: "{ level: trace }")
        let token = try #require(deployment.token("ann")["access_token"] as? String)
        _ = try deployment.token("ann")
        _ = try deployment.requests().ask(#"{"op":"revoke","subject":"ann"}"#)
        #expect(try deployment.token("status-500:ann")["error"] as? String == "unavailable")
        _ = try #require(deployment.daemon.waitForOutput("outcome=unavailable"))
        try await deployment.stop()
        let log = deployment.written
        let form = /time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=[a-z]+ msg=.+/
        for line in log.split(separator: "\n") { #expect(line.wholeMatch(of: form) != nil, "\(line)") }
        #expect(log.contains(#"msg="a mint has ended" cause=caller milliseconds="#))
        #expect(log.contains("outcome=minted tenant=main"))
        #expect(!log.contains(token))
        #expect(!log.contains(deployment.tenant.clientSecret))
        #expect(!log.contains("ann"), "the log names no user")
    }

    @Test("An operator's level is in force for its time, and ends by itself.")
    func level() async throws {
        let deployment = try await Deployment.start(log: "{ format: text }")
        let set = #"{"op":"log_level","level":"debug","for":1}"#
        let reply = try deployment.admin().ask(set)
        #expect(reply as NSDictionary == ["level": "debug", "for": 1] as NSDictionary)
        #expect(deployment.daemon.waitForOutput("the operator's level of the log has ended") != nil)
        #expect(deployment.written.contains("an operator has set the level of the log"))
        #expect(
            try deployment.admin().ask(#"{"op":"log_level","level":"loud"}"#)["error"] as? String == "invalid_request"
        )
        #expect(try deployment.requests().ask(set)["error"] as? String == "unsupported_op")
        try await deployment.stop()
    }

    @Test("A format that needs a journal is a fault of the configuration where there is none.")
    func noJournal() async throws {
        guard !FileManager.default.fileExists(atPath: "/run/systemd/journal/socket") else { return }
        let deployment = try await Deployment.start()
        try configure(deployment, "{ format: journal }")
        let reply = try deployment.admin().ask(#"{"op":"reload"}"#)
        #expect(reply["error"] as? String == "invalid_configuration")
        #expect((reply["error_description"] as? String)?.contains("log.format: there is no journal") == true)
        try configure(deployment, "{ format: json }")
        #expect(try deployment.admin().ask(#"{"op":"reload"}"#)["reloaded"] as? Bool == true)
        #expect(deployment.daemon.waitForOutput(#""msg":"the configuration was read again""#) != nil)
        try await deployment.stop()
    }
}
