import Foundation
import OperatorReplies
import StandInTenant
import TestSupport
import Testing

@Suite("A fleet's engine that is away, by real daemons", .timeLimit(.minutes(5)))
struct FleetAbsenceTests {
    @Test("When the engine dies, callers get their tokens, and with an empty one the machines share again.")
    func crash() async throws {
        let fleet = try await FleetDeployment.start(2)
        let token = try #require(fleet.machines[0].token("ann")["access_token"] as? String)
        fleet.engine.crash()
        for machine in fleet.machines { try await machine.wait("away") { !$0.isConnected } }
        #expect(try fleet.machines[0].token("ann")["source"] as? String == "cache")
        #expect(try fleet.machines[1].token("ann")["source"] as? String == "tenant")
        #expect(try fleet.machines[0].admin().health().checks.first { $0.name == "fleet" }?.status == .degraded)
        try fleet.restartEngine()
        for machine in fleet.machines { try await machine.connected() }
        #expect(try fleet.machines[0].token("ann")["access_token"] as? String == token)
        let other = try #require(fleet.machines[0].token("bob")["access_token"] as? String)
        try await until("stored") { try !fleet.names("v").isEmpty }
        #expect(try fleet.machines[1].token("bob")["access_token"] as? String == other)
        try await fleet.stop()
    }

    @Test("An engine that has stopped costs callers its timeout, and they get their tokens.")
    func stopped() async throws {
        let fleet = try await FleetDeployment.start(2)
        fleet.engine.signal(SIGSTOP)
        let replies = try fleet.machines.map { try $0.token("ann") }
        #expect(replies.allSatisfy { $0["access_token"] != nil }, "\(replies)")
        fleet.engine.signal(SIGCONT)
        for machine in fleet.machines { try await machine.connected() }
        try await fleet.stop()
    }

    @Test("The log tells once that the engine is away, with the reason.")
    func log() async throws {
        let fleet = try await FleetDeployment.start(1)
        let daemon = fleet.machines[0].daemon
        #expect(daemon.waitForOutput("the fleet's engine answers") != nil)
        fleet.engine.crash()
        #expect(daemon.waitForOutput("the fleet's engine does not answer") != nil)
        #expect(daemon.written.components(separatedBy: "the fleet's engine does not answer").count == 2)
        try await fleet.stop(hasEngine: false)
    }
}
