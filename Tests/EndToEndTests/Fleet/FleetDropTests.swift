import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("Drops in a fleet, by real daemons", .timeLimit(.minutes(5)))
struct FleetDropTests {
    /// True if a machine has a user's token.
    private func has(_ machine: FleetDeployment.Machine, _ subject: String) throws -> Bool {
        try machine.admin().explain(subject).token != nil
    }

    /// Lets all machines of a fleet have a user's token, and returns it.
    private func share(_ subject: String, _ fleet: FleetDeployment) async throws -> String {
        let token = try #require(fleet.machines[0].token(subject)["access_token"] as? String)
        for machine in fleet.machines.dropFirst() {
            try await until("shared") { try machine.token(subject)["access_token"] as? String == token }
        }
        return token
    }

    @Test("A logout on one machine ends the user's token on all, in the engine and at the tenant.")
    func logout() async throws {
        let fleet = try await FleetDeployment.start()
        let token = try await share("ann", fleet)
        #expect(try fleet.machines[1].operate(#"{"op":"revoke","subject":"ann"}"#)["error"] == nil)
        for machine in fleet.machines {
            try await until("dropped") { try !has(machine, "ann") }
        }
        #expect(await !fleet.tenant.isLive(token))
        let next = try fleet.machines[2].token("ann")["access_token"] as? String
        #expect(next != nil && next != token)
        #expect(await fleet.tenant.counters.revocations == 1)
        try await fleet.stop()
    }

    @Test("A logout takes the token that only the engine has.")
    func engineOnly() async throws {
        let fleet = try await FleetDeployment.start(2)
        let token = try #require(fleet.machines[0].token("ann")["access_token"] as? String)
        try await until("stored") { try !fleet.names("v").isEmpty }
        try fleet.machines[0].restart(SIGKILL)
        #expect(try !has(fleet.machines[0], "ann"))
        #expect(try fleet.machines[1].operate(#"{"op":"revoke","subject":"ann"}"#)["error"] == nil)
        try await fleet.tenant.wait { $0.revocations == 1 }
        #expect(await !fleet.tenant.isLive(token))
        try await fleet.stop()
    }

    @Test("A flush on one machine holds on all.")
    func flush() async throws {
        let fleet = try await FleetDeployment.start()
        let token = try await share("ann", fleet)
        #expect(try fleet.machines[0].operate(#"{"op":"flush"}"#)["error"] == nil)
        for machine in fleet.machines {
            try await until("flushed") { try !has(machine, "ann") }
        }
        #expect(try fleet.machines[1].token("ann")["access_token"] as? String != token)
        try await fleet.stop()
    }

    @Test("A logout while the engine is away is made up for when another one is there.")
    func later() async throws {
        let fleet = try await FleetDeployment.start(2)
        let token = try await share("ann", fleet)
        fleet.engine.crash()
        for machine in fleet.machines { try await machine.wait("away") { !$0.isConnected } }
        #expect(try fleet.machines[0].operate(#"{"op":"revoke","subject":"ann"}"#)["error"] == nil)
        #expect(try fleet.machines[1].token("ann")["access_token"] as? String == token, "it can't know yet")
        try fleet.restartEngine()
        try await until("told") { try !has(fleet.machines[1], "ann") }
        try await fleet.stop()
    }
}
