import DaemonRuntime
import OperatorReplies
import StandInTenant
import TestSupport
import Testing
import TokenProtocol

@Suite("The daemon's place in a fleet", .timeLimit(.minutes(3)))
struct FleetMembershipTests {
    /// Writes a key, and returns the section of the configuration.
    private func section(_ engine: EngineServer, _ directory: TemporaryDirectory) throws -> String {
        let key = try directory.write("\(String(repeating: "A", count: 43))=\n", to: "fleet-key")
        return "fleet: { url: 'unix://\(engine.socket)', key: { file: \(key) }, timeout: 5s }"
    }

    private func fleet(_ daemon: TestDaemon) -> StatsReply.Fleet? {
        var stats = StatsReply()
        daemon.components.fleet.fill(&stats)
        return stats.fleet
    }

    private func isConnected(_ daemon: TestDaemon) async throws {
        while fleet(daemon)?.isConnected != true { await Task.yield() }
    }

    @Test("A daemon that is restarted reads on, and doesn't serve what another one has dropped in the meantime.")
    func restart() async throws {
        let (engine, store, directory) = (try EngineServer(), StandInStore(), try TemporaryDirectory())
        let settings = try section(engine, directory)
        try await withStandInTenant { tenant in
            try await TestDaemon.run(settings: settings, tenant: tenant, store: store) { daemon in
                try await isConnected(daemon)
                for subject in ["ann", "bob"] { #expect(try await daemon.token(subject).source == "tenant") }
                while store.names.sorted() != ["fleet-places", "tokens-a"] { await Task.yield() }
            }
            try await TestDaemon.run(settings: settings, tenant: tenant) { other in
                try await isConnected(other)
                _ = try await other.ask(#"{"op":"revoke","subject":"ann"}"#, admin: true)
            }
            try await TestDaemon.run(settings: settings, tenant: tenant, store: store) { daemon in
                try await isConnected(daemon)
                #expect(try await daemon.token("bob").source == "cache")
                #expect(try await daemon.token("ann").source == "tenant")
            }
        }
    }

    @Test("Tokens without a place are those of a daemon in no fleet: it reads all events when it joins one.")
    func join() async throws {
        let (engine, directory) = (try EngineServer(), try TemporaryDirectory())
        let settings = try section(engine, directory)
        try await withStandInTenant { tenant in
            try await TestDaemon.run(tenant: tenant) { daemon in
                for subject in ["ann", "bob"] { #expect(try await daemon.token(subject).source == "tenant") }
                try await TestDaemon.run(settings: settings, tenant: tenant) { other in
                    try await isConnected(other)
                    _ = try await other.ask(#"{"op":"revoke","subject":"ann"}"#, admin: true)
                }
                try daemon.configure(settings)
                #expect(await daemon.reload.perform() == .reloaded)
                try await isConnected(daemon)
                #expect(try await daemon.token("bob").source == "cache")
                #expect(try await daemon.token("ann").source == "tenant")
                try daemon.configure()
                #expect(await daemon.reload.perform() == .reloaded)
                #expect(fleet(daemon) == nil)
            }
        }
    }

    @Test("A store has no places of a daemon that has left the fleet.")
    func leave() async throws {
        let (engine, store, directory) = (try EngineServer(), StandInStore(), try TemporaryDirectory())
        let settings = try section(engine, directory)
        try await TestDaemon.run(settings: settings, store: store) { daemon in
            while !store.names.contains("fleet-places") { await Task.yield() }
            try daemon.configure()
            #expect(await daemon.reload.perform() == .reloaded)
        }
        #expect(store.names == ["tokens-a"])
    }

    @Test("A file of authorities that can't be read is a fault of the configuration.")
    func authorities() async throws {
        let directory = try TemporaryDirectory()
        let key = try directory.write("\(String(repeating: "A", count: 43))=\n", to: "fleet-key")
        let section = "{ url: 'rediss://localhost:1', key: { file: \(key) }, ca_file: \(directory.path("none")) }"
        try await TestDaemon.run { daemon in
            try daemon.configure("fleet: \(section)")
            #expect(await daemon.reload.perform() != .reloaded)
            #expect(daemon.log.count("fleet.ca_file: ") == 1)
            #expect(fleet(daemon) == nil)
        }
    }
}
