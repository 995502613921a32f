import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("Tokens of a fleet, by real daemons", .timeLimit(.minutes(5)))
struct FleetTokenTests {
    @Test("Fifty callers on three machines who want the same user's token cause one call, and all get that token.")
    func oneMint() async throws {
        let fleet = try await FleetDeployment.start()
        await fleet.tenant.holdReplies()
        let clients = try (0..<50).map { try fleet.machines[$0 % 3].requests() }
        for client in clients { try client.send(Deployment.line("ann")) }
        try await fleet.tenant.waitForHeldReplies(count: 1)
        // Each machine has asked the engine by now, or will find the token there.
        await fleet.tenant.releaseReplies()
        let replies = try clients.map { try $0.reply() }
        #expect(Set(replies.map { $0["access_token"] as? String }).count == 1)
        #expect(await fleet.tenant.callCount(value: "ann") == 1)
        let sources = replies.map { $0["source"] as? String ?? "none" }
        #expect(sources.contains("fleet"), "\(Set(sources))")
        let hits = try fleet.machines.map { try $0.fleet()?.hits ?? 0 }
        #expect(hits.reduce(0, +) == 2, "the other two machines got it from the engine: \(hits)")
        try await fleet.stop()
    }

    @Test("A token that one machine has minted costs the others no call, and later requests are hits.")
    func found() async throws {
        let fleet = try await FleetDeployment.start()
        let token = try fleet.machines[0].token("ann")
        #expect(token["source"] as? String == "tenant")
        try await until("stored") { try !fleet.names("v").isEmpty }
        for machine in fleet.machines.dropFirst() {
            let found = try machine.token("ann")
            #expect(found["access_token"] as? String == token["access_token"] as? String)
            #expect(found["source"] as? String == "fleet")
            #expect(try machine.token("ann")["source"] as? String == "cache")
        }
        #expect(await fleet.tenant.callCount(value: "ann") == 1)
        try await fleet.stop()
    }

    @Test("A user whom the tenant has denied to one machine is denied to the others without a call.")
    func denied() async throws {
        let fleet = try await FleetDeployment.start(2)
        try await fleet.tenant.setBehaviour("status-403", forValue: "eve")
        #expect(try fleet.machines[0].token("eve")["error"] as? String == "denied")
        try await until("shared") { try !fleet.names("r").isEmpty }
        #expect(try fleet.machines[1].token("eve")["error"] as? String == "denied")
        #expect(await fleet.tenant.callCount(value: "eve") == 1)
        try await fleet.stop()
    }

    @Test("A hold that the tenant asks of one machine holds the others, too, until an operator ends it.")
    func hold() async throws {
        let fleet = try await FleetDeployment.start(2)
        try await fleet.tenant.setScript("throttled-600")
        #expect(try fleet.machines[0].token("ann")["error"] as? String == "rate_limited")
        try await until("held") { try fleet.machines[1].admin().stats().tenants["main"]?.hold != nil }
        #expect(try fleet.machines[1].token("bob")["error"] as? String == "rate_limited")
        #expect(await fleet.tenant.callCount(value: "bob") == 0)
        #expect(try fleet.machines[1].operate(#"{"op":"release_hold"}"#)["error"] == nil)
        try await until("released") { try fleet.machines[0].admin().stats().tenants["main"]?.hold == nil }
        #expect(try fleet.machines[0].token("bob")["access_token"] != nil)
        try await fleet.stop()
    }
}
