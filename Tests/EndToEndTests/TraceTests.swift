import Foundation
import StandInTenant
import TestSupport
import Testing

@Suite("The traces of requests through the real daemon")
struct TraceTests {
    private static let traceID = "0af7651916cd43dd8448eb211c80319c"
    private static let traceparent = "00-\(traceID)-b7ad6b7169203331-01"

    private static func member(_ traceparent: String) -> String { #""traceparent":"\#(traceparent)""# }

    /// The records of an audit file.
    private static func records(_ path: String) throws -> [[String: Any]] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }

    @Test("A mint is at the tenant, in the audit trail and in the log in its request's trace, and a hit adds nothing.")
    func mint() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("audit.jsonl")
        let deployment = try await Deployment.startOpen("audit: { to: \(path) }")
        let token = try deployment.token("ann", Self.member(Self.traceparent))
        #expect(token["source"] as? String == "tenant")
        let hit = try deployment.token("ann", Self.member(Self.traceparent))
        #expect(hit["source"] as? String == "cache")
        let seen = await deployment.tenant.requests
        try await deployment.stop()

        let fields = try #require(seen.first?.traceparent).split(separator: "-")
        #expect(seen.count == 1)
        #expect(fields[1] == Self.traceID && fields[2] != "b7ad6b7169203331" && fields[3] == "01")
        let records = try Self.records(path)
        #expect(records.map { $0["event"] as? String } == ["mint"])
        #expect(records.map { $0["trace_id"] as? String } == [Self.traceID])
        #expect(records.map { $0["span_id"] as? String } == [String(fields[2])])
        let lines = deployment.written.split(separator: "\n").filter { $0.contains(Self.traceID) }
        #expect(lines.count == 1, "\(deployment.written)")
        #expect(lines.first?.contains("trace_id=\(Self.traceID)") == true)
        #expect(lines.first?.contains("span_id=\(fields[2])") == true)
    }

    @Test("A call that is repeated with a new secret is in the same trace, and so is a logout's revocation.")
    func newSecretAndLogout() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("audit.jsonl")
        let deployment = try await Deployment.startOpen("audit: { to: \(path) }")
        try await deployment.tenant.setSecrets(["another"])
        try deployment.directory.write("another", to: "secret")
        #expect(try deployment.token("ann", Self.member(Self.traceparent))["source"] as? String == "tenant")
        let line = #"{"op":"revoke","subject":"ann",\#(Self.member(Self.traceparent))}"#
        #expect(try deployment.requests().ask(line)["revoked"] as? Bool == true)
        let seen = await deployment.tenant.requests.map { $0.traceparent ?? "" }
        try await deployment.stop()

        try #require(seen.count == 3, "\(seen)")
        #expect(seen[0] == seen[1] && seen[1] != seen[2], "\(seen)")
        #expect(seen.allSatisfy { $0.hasPrefix("00-\(Self.traceID)-") })
        let spans = try Self.records(path).map { "00-\($0["trace_id"] ?? "")-\($0["span_id"] ?? "")-01" }
        #expect(spans == [seen[0], seen[2]])
    }

    @Test("A traceparent that is not valid, or that attacks the tenant's request, is ignored.")
    func invalid() async throws {
        let deployment = try await Deployment.startOpen("")
        let attacks = [
            "", #"\u0000"#, #"\#(Self.traceparent)\r\nauthorization: Basic eA=="#, "é", Self.traceparent.uppercased(),
            String(repeating: "0", count: 60_000), #"01-\#(Self.traceparent.dropFirst(3))-\r\nx: y"#,
        ]
        for (number, attack) in attacks.enumerated() {
            let token = try deployment.token("user\(number)", Self.member(attack))
            #expect(token["access_token"] != nil, "\(attack.prefix(80))")
        }
        let error = try deployment.token("ann", #""traceparent":7"#)
        #expect(error["error"] as? String == "invalid_request")
        let seen = await deployment.tenant.requests
        try await deployment.stop()
        #expect(seen.count == attacks.count)
        // The last one is valid in a later version, whose further fields no hop of this version passes on.
        #expect(seen.dropLast().allSatisfy { $0.traceparent == nil })
        #expect(seen.last?.traceparent?.hasPrefix("00-\(Self.traceID)-") == true)
        #expect(seen.last?.traceparent?.count == Self.traceparent.count)
    }
}
