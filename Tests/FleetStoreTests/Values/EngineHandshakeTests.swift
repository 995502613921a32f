import FleetProtocol
import Secrets
import Testing

@testable import FleetStore

@Suite("Handshakes with the engine")
struct EngineHandshakeTests {
    private let address = EngineAddress.host("127.0.0.1", port: 7_000)
    private let information = RespValue.bulk(Array("# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n".utf8))

    private func settings(_ change: (inout FleetSettings) -> Void = { _ in }) throws -> FleetSettings {
        var settings = FleetSettings(url: EngineURL(address: address), keys: try TestFleet.keys())
        change(&settings)
        return settings
    }

    private func result(map: [ClusterRoutes.Range]?) -> EngineHandshake.Result {
        EngineHandshake.Result(epoch: "abc", version: "redis 7.0.15", map: map)
    }

    private func names(_ handshake: EngineHandshake) -> [String] {
        handshake.commands.map { $0.words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }
    }

    @Test("A connection for calls names itself, and sees whether it can write.")
    func plain() throws {
        var handshake = EngineHandshake(try settings(), at: address, probe: "p")
        #expect(names(handshake) == ["CLIENT SETNAME tokencached", "INFO server", "SET p 1 PX 60000"])
        #expect(try handshake.answer(.error("NOPERM")) == nil, "it needs no name")
        #expect(try handshake.answer(information) == nil)
        #expect(try handshake.answer(.simple("OK")) == result(map: nil))
    }

    @Test("The user, the password and the database come first.")
    func authenticated() throws {
        let settings = try settings {
            $0.username = "u"
            $0.password = EnginePassword(AccessToken("w").bytes)
            $0.url.database = 3
        }
        var handshake = EngineHandshake(settings, at: address, probe: nil)
        #expect(names(handshake) == ["AUTH u w", "SELECT 3", "CLIENT SETNAME tokencached", "INFO server"])
        #expect(throws: EngineHandshake.Failure(fault: .forbidden, detail: "ERR unknown")) {
            try handshake.answer(.error("ERR unknown"))
        }
    }

    @Test("A cluster's node tells the map. The written key may be another node's.")
    func cluster() throws {
        var handshake = EngineHandshake(try settings { $0.isCluster = true }, at: address, probe: "p")
        #expect(names(handshake).last == "CLUSTER SLOTS")
        _ = try handshake.answer(.simple("OK"))
        _ = try handshake.answer(information)
        #expect(try handshake.answer(.error("MOVED 1 127.0.0.1:7001")) == nil)
        #expect(try handshake.answer(.array([])) == result(map: []))
    }

    @Test(
        "An engine that can't be written to is no second level.",
        arguments: [("READONLY You can't", EngineFault.readOnly), ("OOM no", .full), ("NOAUTH no", .forbidden)]
    )
    func unwritable(text: String, fault: EngineFault) throws {
        var handshake = EngineHandshake(try settings(), at: address, probe: "p")
        _ = try handshake.answer(.simple("OK"))
        _ = try handshake.answer(information)
        #expect(throws: EngineHandshake.Failure(fault: fault, detail: text)) { try handshake.answer(.error(text)) }
    }

    @Test("An engine without an identity is none.", arguments: ["", "run_id:", "run_id:a b", "x"])
    func anonymous(text: String) throws {
        var handshake = EngineHandshake(try settings(), at: address, probe: nil)
        _ = try handshake.answer(.simple("OK"))
        #expect(throws: EngineHandshake.Failure.self) { try handshake.answer(.bulk(Array(text.utf8))) }
    }
}
