import Foundation
import Glibc
import OperatorReplies
import TestSupport
import Testing

@Suite("Sockets that have lost their names")
struct LostSocketTests {
    @Test("A socket that somebody has deleted is bound again within seconds. Open connections stay.")
    func boundAnew() async throws {
        let deployment = try await Deployment.start()
        let client = try deployment.requests()
        for path in [deployment.requestsPath, deployment.adminPath] { try FileManager.default.removeItem(atPath: path) }
        for path in [deployment.requestsPath, deployment.adminPath] {
            let text = "it is bound anew failed=1 path=\(path)"
            _ = try #require(deployment.daemon.waitForOutput(text), "\(deployment.written)")
        }
        #expect(try deployment.token("ann")["access_token"] != nil)
        #expect(try client.ask(#"{"op":"hello"}"#)["server"] != nil)
        #expect(try deployment.admin().health().status == .ok)
        try await deployment.stop()
        #expect(!FileManager.default.fileExists(atPath: deployment.requestsPath))
    }

    @Test("If another daemon has taken the path, it is left alone, and health says that nobody can connect.")
    func taken() async throws {
        let (deployment, other) = (try await Deployment.start(), try await Deployment.start())
        let admin = try deployment.admin()
        #expect(unsafe rename(other.requestsPath, deployment.requestsPath) == 0)
        _ = try #require(deployment.daemon.waitForOutput("nobody can connect"), "\(deployment.written)")
        // The check is set right after the log line.
        var health: [String: Any] = [:]
        for _ in 0..<10_000 where health["status"] as? String != "failing" {
            health = try admin.ask(#"{"op":"health"}"#)
        }
        let checks = try #require(health["checks"] as? [[String: Any]])
        let check = try #require(checks.first { $0["check"] as? String == "socket" }, "\(health)")
        #expect((check["description"] as? String)?.contains("another daemon is listening there") == true)
        #expect(try deployment.token("ann")["access_token"] != nil, "the other one answers there")
        try await deployment.stop()
        try await other.stop()
    }
}
