import Foundation
import TestSupport
import Testing

@Suite("Metrics of the real daemon", .timeLimit(.minutes(3)))
struct MetricsTests {
    /// The daemon's metrics, from the admin socket.
    private func metrics(_ deployment: Deployment) throws -> String {
        let reply = try deployment.admin().ask(#"{"op":"metrics"}"#)
        #expect(reply["content_type"] as? String == "text/plain; version=0.0.4")
        return try #require(reply["body"] as? String)
    }

    @Test("promtool finds no fault in them, before the first mint and after many kinds of requests.")
    func promtool() async throws {
        let deployment = try await Deployment.start()
        try check(try metrics(deployment), deployment)
        _ = try deployment.token("ann")
        _ = try deployment.token("ann")
        _ = try deployment.token("unknown:bob")
        _ = try deployment.token("throttled-1:eve")
        _ = try deployment.requests().ask(#"{"op":"revoke","subject":"ann"}"#)
        _ = try deployment.admin().ask(#"{"op":"reload"}"#)
        _ = try deployment.requests().ask("malformed")
        let text = try metrics(deployment)
        try check(text, deployment)
        let expected = [
            #"tokencached_requests_total{op="token",outcome="hit"} 1"#,
            #"tokencached_requests_total{op="token",outcome="minted"} 1"#,
            #"tokencached_requests_total{op="token",outcome="denied"} 1"#,
            #"tokencached_requests_total{op="token",outcome="rate_limited"} 1"#,
            #"tokencached_requests_total{op="unknown",outcome="invalid_request"} 1"#,
            #"tokencached_mints_total{tenant="main",cause="caller",outcome="denied"} 1"#,
            #"tokencached_reloads_total{outcome="applied"} 1"#,
            #"tokencached_revocations_total{tenant="main",outcome="revoked"} 1"#,
            "tokencached_hit_duration_seconds_count 1", "tokencached_token_lifetime_left_seconds_count 2",
        ]
        let lines = Set(text.split(separator: "\n").map(String.init))
        for line in expected { #expect(lines.contains(line), "\(line) is not in \(text)") }
        try await deployment.stop()
    }

    private func check(_ text: String, _ deployment: Deployment) throws {
        try deployment.directory.write(text, to: "metrics")
        let (status, output) = try Program.run(
            "/bin/sh",
            ["-c", "promtool check metrics < \(deployment.directory.path("metrics"))"]
        )
        #expect(status == 0 && output.isEmpty, "\(output)")
    }

    @Test("The request socket doesn't have them.")
    func access() async throws {
        let deployment = try await Deployment.start()
        #expect(try deployment.requests().ask(#"{"op":"metrics"}"#)["error"] as? String == "unsupported_op")
        try await deployment.stop()
    }
}
