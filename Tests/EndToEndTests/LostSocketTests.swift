import Foundation
import Glibc
import OperatorReplies
import TestSupport
import Testing

@Suite("Sockets whose names are lost")
struct LostSocketTests {
    @Test("A socket that somebody has deleted is bound anew within seconds; who is connected stays so.")
    func boundAnew() async throws {
        let deployment = try await Deployment.start()
        let client = try deployment.requests()
        for path in [deployment.requestsPath, deployment.adminPath] { try FileManager.default.removeItem(atPath: path) }
        for path in [deployment.requestsPath, deployment.adminPath] {
            _ = try #require(deployment.daemon.waitForOutput("it is bound anew path=\(path)"), "\(deployment.written)")
        }
        #expect(try deployment.token("ann")["access_token"] != nil)
        #expect(try client.ask(#"{"op":"hello"}"#)["server"] != nil)
        #expect(try deployment.admin().health().status == .ok)
        try await deployment.stop()
        #expect(!FileManager.default.fileExists(atPath: deployment.requestsPath))
    }

    @Test("Where another daemon has taken the path, it is left alone, and health says that nobody can connect.")
    func taken() async throws {
        let (deployment, other) = (try await Deployment.start(), try await Deployment.start())
        let admin = try deployment.admin()
        #expect(unsafe rename(other.requestsPath, deployment.requestsPath) == 0)
        _ = try #require(deployment.daemon.waitForOutput("nobody can connect"), "\(deployment.written)")
        // It is noted right after it is said.
        var health = try admin.health()
        for _ in 0..<10_000 where health.status != .failing { health = try admin.health() }
        let check = try #require(health.checks.first { $0.name == "socket" }, "\(health)")
        #expect(check.description?.contains("another daemon is listening there") == true)
        #expect(try deployment.token("ann")["access_token"] != nil, "the other one answers there")
        try await deployment.stop()
        try await other.stop()
    }
}
