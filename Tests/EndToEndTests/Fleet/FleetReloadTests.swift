import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("Changes of a fleet's configuration, by real daemons", .timeLimit(.minutes(5)))
struct FleetReloadTests {
    @Test("A reload takes a machine out of the fleet, and another one brings it back.")
    func onAndOff() async throws {
        let fleet = try await FleetDeployment.start(2)
        let machine = fleet.machines[1]
        try machine.reload(fleet.configuration(in: machine.directory, isShared: false))
        #expect(try machine.fleet() == nil)
        _ = try fleet.machines[0].token("ann")
        try await until("stored") { try !fleet.names("v").isEmpty }
        #expect(try machine.token("ann")["source"] as? String == "tenant")
        try machine.reload(fleet.configuration(in: machine.directory))
        try await machine.connected()
        let token = try #require(fleet.machines[0].token("bob")["access_token"] as? String)
        try await until("stored") { try fleet.names("v").count == 2 }
        #expect(try machine.token("bob")["access_token"] as? String == token)
        try await fleet.stop()
    }

    @Test("Keys change step by step without a lost token: behind the old one, in front of it, alone.")
    func keys() async throws {
        let fleet = try await FleetDeployment.start(2)
        let token = try #require(fleet.machines[0].token("ann")["access_token"] as? String)
        try await until("stored") { try !fleet.names("v").isEmpty }
        let (old, new) = (FleetDeployment.key("A"), FleetDeployment.key("E"))
        for keys in [old + new, new + old] {
            for machine in fleet.machines {
                try machine.directory.write(keys, to: "fleet-key")
                try machine.reload(fleet.configuration(in: machine.directory))
            }
        }
        for machine in fleet.machines { try await machine.connected() }
        // The second machine looks when the first has noted its new keys.
        try await fleet.machines[1].wait("settled") {
            $0.keys.map(\.machines) == [2, 2] && $0.keys.map(\.sealing) == [2, 0] && $0.settledFor != nil
        }
        #expect(try fleet.control("fleet", "rotate-check", on: 1).status == 0, "all machines have both keys")
        let found = try fleet.machines[1].token("ann")
        #expect(found["access_token"] as? String == token && found["source"] as? String == "fleet")
        #expect(try fleet.machines[1].fleet()?.keys.map(\.opened) == [0, 1], "sealed with the key that is behind now")
        try await fleet.stop()
    }

    @Test("A key that can't be read is a fault of a reload, and the machine stays in the fleet.")
    func fault() async throws {
        let fleet = try await FleetDeployment.start(1)
        let machine = fleet.machines[0]
        try machine.directory.write("short\n", to: "fleet-key")
        #expect(try machine.operate(#"{"op":"reload"}"#)["reloaded"] as? Bool != true)
        #expect(try machine.fleet()?.isConnected == true)
        try await fleet.stop()
    }
}
