import FleetProtocol
import Secrets
import Testing

@testable import FleetStore

@Suite("Handshakes with the engine")
struct EngineHandshakeTests {
    private let address = EngineAddress.host("127.0.0.1", port: 7_000)
    private let server = RespValue.bulk(Array("# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n".utf8))
    private let replication = Self.replication("master")

    private static func replication(_ role: String) -> RespValue {
        .bulk(Array("# Replication\r\nrole:\(role)\r\nmaster_replid:def\r\nmaster_replid2:000\r\n".utf8))
    }

    private func settings(_ change: (inout FleetSettings) -> Void = { _ in }) throws -> FleetSettings {
        var settings = FleetSettings(url: EngineURL(address: address), keys: try TestFleet.keys())
        change(&settings)
        return settings
    }

    private func result(map: [ClusterRoutes.Range]?, _ replication: RespValue? = nil) throws -> EngineHandshake.Result {
        let identity = try #require(EngineIdentity(server: server, replication: replication ?? self.replication))
        #expect(identity.epoch == "abc-def")
        return EngineHandshake.Result(identity: identity, version: "redis 7.0.15", map: map)
    }

    @Test(
        "Events go on in a later term of a process, and with the primary that has taken over, but not with another engine.",
        arguments: [("abc-xyz", true), ("xyz-000", true), ("xyz-def", false), ("", false), ("abc", false)]
    )
    func history(earlier: String, isSame: Bool) throws {
        let identity = try #require(EngineIdentity(server: server, replication: replication))
        #expect(identity.continues(earlier) == isSame)
    }

    @Test("An identity that could be taken for something else is none.", arguments: ["a b", "a\tb", "", "a-b"])
    func identity(id: String) {
        #expect(EngineIdentity(server: .bulk(Array("run_id:\(id)\r\n".utf8)), replication: replication) == nil)
    }

    private func names(_ handshake: EngineHandshake) -> [String] {
        handshake.commands.map { $0.words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }
    }

    @Test("A connection for calls names itself, and sees whether it can write.")
    func plain() throws {
        var handshake = EngineHandshake(try settings(), at: address, probe: "p")
        #expect(
            names(handshake) == ["CLIENT SETNAME tokencached", "INFO server", "INFO replication", "SET p 1 PX 60000"]
        )
        #expect(try handshake.answer(.error("NOPERM")) == nil, "it needs no name")
        #expect(try handshake.answer(server) == nil)
        #expect(try handshake.answer(replication) == nil)
        let result = try result(map: nil)
        #expect(try handshake.answer(.simple("OK")) == result)
    }

    @Test("The user, the password and the database come first.")
    func authenticated() throws {
        let settings = try settings {
            $0.username = "u"
            $0.password = EnginePassword(AccessToken("w").bytes)
            $0.url.database = 3
        }
        var handshake = EngineHandshake(settings, at: address, probe: nil)
        let inquiries = ["INFO server", "INFO replication"]
        #expect(names(handshake) == ["AUTH u w", "SELECT 3", "CLIENT SETNAME tokencached"] + inquiries)
        #expect(throws: EngineHandshake.Failure(fault: .forbidden, detail: "ERR unknown")) {
            try handshake.answer(.error("ERR unknown"))
        }
    }

    @Test("A replica is refused, unless it is a cluster's, which refers to the primary.")
    func replica() throws {
        let failure = EngineHandshake.Failure(fault: .readOnly, detail: "the engine is a replica")
        for isCluster in [false, true] {
            var handshake = EngineHandshake(try settings { $0.isCluster = isCluster }, at: address, probe: nil)
            _ = try handshake.answer(.simple("OK"))
            _ = try handshake.answer(server)
            let role = Self.replication("slave")
            if isCluster {
                let result = try result(map: nil, role)
                #expect(try handshake.answer(role) == result)
            } else {
                #expect(throws: failure) { try handshake.answer(role) }
            }
        }
    }

    @Test("A cluster's node tells the map. The written key may be another node's.")
    func cluster() throws {
        var handshake = EngineHandshake(try settings { $0.isCluster = true }, at: address, probe: "p")
        #expect(names(handshake).last == "CLUSTER SLOTS")
        _ = try handshake.answer(.simple("OK"))
        _ = try handshake.answer(server)
        _ = try handshake.answer(replication)
        #expect(try handshake.answer(.error("MOVED 1 127.0.0.1:7001")) == nil)
        let result = try result(map: [])
        #expect(try handshake.answer(.array([])) == result)
    }

    @Test(
        "An engine that can't be written to is no second level.",
        arguments: [("READONLY You can't", EngineFault.readOnly), ("OOM no", .full), ("NOAUTH no", .forbidden)]
    )
    func unwritable(text: String, fault: EngineFault) throws {
        var handshake = EngineHandshake(try settings(), at: address, probe: "p")
        _ = try handshake.answer(.simple("OK"))
        _ = try handshake.answer(server)
        _ = try handshake.answer(replication)
        #expect(throws: EngineHandshake.Failure(fault: fault, detail: text)) { try handshake.answer(.error(text)) }
    }

    @Test(
        "An engine without an identity is none.",
        arguments: [
            ("", "role:master\nmaster_replid:a"), ("run_id:", "role:master\nmaster_replid:a"),
            ("run_id:a b", "role:master\nmaster_replid:a"), ("run_id:a", "role:master"),
            ("run_id:a", "role:master\nmaster_replid:"), ("run_id:a", "master_replid:a"),
        ]
    )
    func anonymous(server: String, replication: String) throws {
        var handshake = EngineHandshake(try settings(), at: address, probe: nil)
        _ = try handshake.answer(.simple("OK"))
        _ = try handshake.answer(.bulk(Array(server.utf8)))
        #expect(throws: EngineHandshake.Failure.self) { try handshake.answer(.bulk(Array(replication.utf8))) }
    }
}
