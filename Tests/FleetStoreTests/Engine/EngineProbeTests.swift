import FleetProtocol
import Secrets
import TestSupport
import Testing
import TokenCache

@testable import FleetStore

@Suite("The probe of an engine", .timeLimit(.minutes(3)))
struct EngineProbeTests {
    private func settings(_ engine: EngineServer, password: String? = nil) throws -> FleetSettings {
        FleetSettings(
            url: EngineURL(address: .socket(path: engine.socket)),
            password: password.map { EnginePassword(AccessToken($0).bytes) },
            timeout: .seconds(5),
            keys: try TestFleet.keys()
        )
    }

    @Test("It does everything that a daemon does, and the machines of the fleet take no note of it.")
    func all() async throws {
        let engine = try EngineServer()
        let report = await EngineProbe(try settings(engine), trust: nil).run(limit: TestTimeout.duration)
        #expect(report.failed == nil && report.fault == nil && report.latency != nil)
        #expect(report.version?.split(separator: " ").count == 2)
        #expect(try engine.run("EXISTS", "tokencached:machines") == "0")
        #expect(try engine.run("--scan", "--pattern", "*:v:*").isEmpty)
    }

    @Test("It says which step has failed, and what the engine has said.")
    func failures() async throws {
        let engine = try EngineServer(["--requirepass", "right"])
        let wrong = await EngineProbe(try settings(engine, password: "wrong"), trust: nil).run(limit: .seconds(3))
        #expect(wrong.failed == .connect && wrong.fault?.kind == .forbidden)
        let weak = try EngineServer()
        try weak.run("ACL", "SETUSER", "default", "-xadd")
        let report = await EngineProbe(try settings(weak), trust: nil).run(limit: TestTimeout.duration)
        #expect(report.failed != nil && report.fault?.kind == .forbidden, "\(report)")
    }
}
