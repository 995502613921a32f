import Foundation
import Glibc
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("Tenants in trouble, with the real executables", .serialized)
struct TroubleTests {
    @Test(
        "A tenant that fails is left alone: callers get errors, cached tokens are served, and operators see why."
    )
    func circuit() async throws {
        let deployment = try await Deployment.start()
        // The circuit is open for 4 s at least. If the machine is too busy to check everything by then, it tries again.
        for _ in 0..<20 {
            if try await trouble(of: deployment) { break }
            try deployment.restart()
        }
        #expect(deployment.daemon.waitForOutput("calls to the tenant fail") != nil)
        try await deployment.stop()
    }

    /// Opens the circuit and checks its effects.
    ///
    /// Returns false if the circuit may have closed meanwhile.
    private func trouble(of deployment: Deployment) async throws -> Bool {
        _ = try deployment.token("ann")
        for number in 0..<4 {
            #expect(try deployment.token("status-500:u\(number)")["error"] as? String == "unavailable")
        }
        let began = ContinuousClock.now
        #expect(try deployment.token("status-500:u4")["error"] as? String == "unavailable")
        let calls = await deployment.tenant.counters.calls
        let refused = try deployment.token("new", #""timeout":1"#)
        let ann = try deployment.token("ann")
        let callsAfter = await deployment.tenant.counters.calls
        let health = try deployment.admin().health()
        let stats = try deployment.admin().stats()
        let explain = try deployment.admin().explain("ann")
        guard ContinuousClock.now - began < .seconds(3.9) else { return false }
        #expect(refused["error"] as? String == "unavailable")
        #expect((refused["retry_after"] as? Int).map { (1...6).contains($0) } == true)
        #expect(ann["source"] as? String == "cache")
        #expect(callsAfter == calls)
        #expect(health.status == .degraded)
        #expect(stats.tenants["main"]?.state == .open)
        #expect(explain.source == .cache)
        #expect(explain.tenant.circuit == .open)
        return true
    }

    @Test(
        "The reason for which calls get no answer is in the reply, and in the log once."
    )
    func cause() async throws {
        let deployment = try await Deployment.start()
        try await deployment.tenant.stopListening()
        for name in ["a", "b", "c"] {
            let reply = try deployment.token(name)
            #expect(reply["error"] as? String == "unavailable")
            #expect(reply["error_description"] as? String == "the tenant can't be reached: the connection was refused")
            #expect((reply["upstream"] as? [String: Any])?["code"] as? String == "connection_refused")
        }
        try await deployment.tenant.startListening()
        #expect(try deployment.token("d")["source"] as? String == "tenant")
        let log = try #require(deployment.daemon.waitForOutput("calls to the tenant fail"))
        #expect(log.split(separator: "calls to the tenant fail").count == 2)
        #expect(log.contains("connection_refused"))
        try await deployment.stop()
    }

    @Test("Connections that a middlebox has forgotten cause no errors, and leave the circuit closed.")
    func forgotten() async throws {
        let deployment = try await Deployment.start()
        await deployment.tenant.setUsedConnections(.reset)
        for number in 0..<12 { #expect(try deployment.token("u\(number)")["source"] as? String == "tenant") }
        #expect(try deployment.admin().stats().tenants["main"]?.state == .closed)
        #expect(!deployment.daemon.written.contains("calls to the tenant fail"))
        try await deployment.stop()
    }

    @Test("A client that is refused for everybody with 403 is reported in health and log.")
    func refusedForAll() async throws {
        let deployment = try await Deployment.start()
        for name in ["a", "b", "c", "d"] {
            #expect(try deployment.token("client-not-trusted:\(name)")["error"] as? String == "denied")
        }
        let health = try deployment.control("health")
        #expect(health.status == 0)
        #expect(health.output.hasPrefix("degraded\n"))
        #expect(health.output.contains("client of main"))
        let log = try #require(deployment.daemon.waitForOutput("the tenant refused several users in a row"))
        #expect(log.contains("OAUTH-"))
        #expect(try deployment.token("good")["source"] as? String == "tenant")
        #expect(try deployment.control("health").output == "ok\n")
        try await deployment.stop()
    }

    @Test("A secret that becomes wrong makes health fail, which names the reason.")
    func refusedClient() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.token("known")
        try await deployment.tenant.setSecrets(["another"])
        for name in ["a", "b", "c"] { #expect(try deployment.token(name)["error"] as? String == "denied") }
        #expect(deployment.daemon.waitForOutput("the tenant refuses the client") != nil)
        let health = try deployment.control("health")
        #expect(health.status == 1)
        #expect(health.output.hasPrefix("failing\n"))
        #expect(health.output.contains("client of main"))
        #expect(try deployment.token("known")["source"] as? String == "cache")
        try deployment.directory.write("another", to: "secret")
        #expect(try deployment.control("reload").status == 0)
        #expect(try deployment.control("health").output == "ok\n")
        #expect(try deployment.token("a")["source"] as? String == "tenant")
        #expect(try deployment.control("explain", "a").output.contains("next answer  from the cache"))
        deployment.daemon.signal(SIGTERM)
        #expect(deployment.daemon.waitForEnd() == 0)
        try await deployment.tenant.stop()
    }

    @Test(
        "Without free descriptors the daemon waits for some, and then serves the peers that have connected.",
        .enabled(if: OtherUser.isAvailable, "counting another process's descriptors needs root")
    )
    func descriptors() async throws {
        let deployment = try await Deployment.start()
        let first = try deployment.requests()
        _ = try first.ask(#"{"op":"hello"}"#)
        try deployment.daemon.limitOpenFiles(to: deployment.daemon.openFiles() + 1)
        let waiting = try (0..<5).map { _ in try deployment.requests() }
        for client in waiting { try client.send(#"{"op":"hello"}"#) }
        #expect(try first.ask(#"{"op":"hello"}"#)["server"] as? String == "tokencached")
        try deployment.daemon.limitOpenFiles(to: 1_024)
        for client in waiting { #expect(try client.reply()["server"] as? String == "tokencached") }
        try await deployment.stop()
    }
}
