import FleetProtocol
import FleetStore
import Foundation
import TestSupport
import Testing
import TokenCache

@Suite("Clustered engines", .serialized)
struct ClusteredEngineTests {
    /// A node with its ports.
    private struct Node {
        let port: PortReservation
        let bus: PortReservation
        let server: EngineServer

        init() throws {
            (port, bus) = (try PortReservation(), try PortReservation())
            server = try EngineServer([
                "--cluster-enabled", "yes", "--bind", "127.0.0.1", "--port", "\(port.port)",
                "--cluster-port", "\(bus.port)", "--cluster-node-timeout", "1000",
            ])
        }

        func id() throws -> String { try server.run("CLUSTER", "MYID") }

        var address: EngineAddress { .host("127.0.0.1", port: port.port) }
    }

    /// Makes a cluster of three nodes, each with a third of the slots.
    private func cluster() async throws -> [Node] {
        let nodes = [try Node(), try Node(), try Node()]
        let ranges = [("0", "5460"), ("5461", "10922"), ("10923", "16383")]
        for (node, range) in zip(nodes, ranges) {
            try node.server.run("CLUSTER", "ADDSLOTSRANGE", range.0, range.1)
            for other in nodes where other.port !== node.port {
                try node.server.run("CLUSTER", "MEET", "127.0.0.1", "\(other.port.port)", "\(other.bus.port)")
            }
        }
        for node in nodes {
            try await until("the cluster is formed") {
                let information = try node.server.run("CLUSTER", "INFO")
                return information.contains("cluster_state:ok") && information.contains("cluster_known_nodes:3")
            }
        }
        // From now on a busy machine is no reason to take a node for lost.
        for node in nodes { try node.server.run("CONFIG", "SET", "cluster-node-timeout", "120000") }
        return nodes
    }

    private func settings(_ node: Node) throws -> FleetSettings {
        FleetSettings(
            url: EngineURL(address: node.address),
            isCluster: true,
            timeout: TestTimeout.duration,
            keys: try TestFleet.keys()
        )
    }

    @Test("Machines that know different nodes share tenants of all slots, and follow a slot to another node.")
    func share() async throws {
        let nodes = try await cluster()
        var tenants: [TenantID: FleetTenant] = [:]
        for number in 1...6 {
            let id = number == 1 ? TestFleet.tenant : TenantID(number: UInt32(number), name: "t\(number)")
            tenants[id] = TestFleet.settings(of: "https://t\(number).example")
        }
        try await withMachines { machines in
            let (one, other) = (machines[0], machines[1])
            try one.store.apply(settings(nodes[0]), tenants: tenants)
            try other.store.apply(settings(nodes[2]), tenants: tenants)
            for id in tenants.keys {
                for machine in machines { _ = try await machine.connected(id) }
            }
            for id in tenants.keys {
                let key = TestFleet.key(tenant: id)
                try await one.mint(key, "secret")
                try await other.happened(.changed(key))
                let outcome = try await other.look(TestFleet.peek(key)).outcome
                guard case .found = outcome else { throw TestFailure("no token but \(outcome)") }
            }
            #expect(Set(one.store.status.epochs).count > 1, "the tenants are on several nodes")
            try await until("the later machine has counted both") {
                machines.contains { $0.store.status.machines == 2 }
            }
            try await move(TestFleet.tenant, tenants, nodes, machines)
        }
    }

    /// Moves a tenant's slot to another node, first as a migration that has begun, then as one that has ended.
    private func move(
        _ id: TenantID,
        _ tenants: [TenantID: FleetTenant],
        _ nodes: [Node],
        _ machines: [TestMachine]
    ) async throws {
        let tenant = try #require(tenants[id])
        let machine = machines[0]
        let settings = try settings(nodes[0])
        let keys = TenantKeys(settings.keys, host: tenant.identity.host, clientID: tenant.identity.clientID)
        let name = KeyNames(prefix: settings.prefix, keys).tenant.events
        let slot = try nodes[0].server.run("CLUSTER", "KEYSLOT", name)
        let source = try #require(
            nodes.first {
                let process = machine.store.status.tenants[id]?.epoch?.prefix { $0 != "-" }
                return try $0.server.run("INFO", "server").contains("run_id:\(process ?? "?")")
            }
        )
        let target = try #require(nodes.first { $0.port !== source.port })
        try target.server.run("CLUSTER", "SETSLOT", slot, "IMPORTING", try source.id())
        try source.server.run("CLUSTER", "SETSLOT", slot, "MIGRATING", try target.id())
        // The source refers calls for a key that it doesn't have to the target (ASK).
        let isOurs = try await machine.claim(TestFleet.token("a"))
        #expect(isOurs, "a script with one key follows the reference")
        let isOursAgain = try await machine.claim(TestFleet.token("a"))
        #expect(!isOursAgain)
        #expect(try !target.server.run("KEYS", "*:c:*").isEmpty)
        let names = try source.server.run("CLUSTER", "GETKEYSINSLOT", slot, "1000").split(whereSeparator: \.isNewline)
        for name in names {
            try source.server.run("MIGRATE", "127.0.0.1", "\(target.port.port)", String(name), "0", "5000")
        }
        let key = TestFleet.key(tenant: id)
        #expect(try await machine.look(TestFleet.peek(key)).outcome == .unavailable, "one with several has to wait")
        for node in nodes { try node.server.run("CLUSTER", "SETSLOT", slot, "NODE", try target.id()) }
        // The next call is referred to the target for good (MOVED), where another process is another epoch.
        let moved = try await machine.look(TestFleet.peek(key)).outcome
        #expect(moved == .nothing || moved == .unavailable)
        try await machine.disconnected(id)
        let process = try await machine.connected(id).prefix { $0 != "-" }
        #expect(try target.server.run("INFO", "server").contains("run_id:\(process)"))
        try await machine.mint(key, "another")
        _ = try await machines[1].look(TestFleet.peek(key))
        try await machines[1].disconnected(id)
        _ = try await machines[1].connected(id)
        try await until("the token is stored") {
            if case .found = try await machines[1].look(TestFleet.peek(key)).outcome { true } else { false }
        }
    }
}
