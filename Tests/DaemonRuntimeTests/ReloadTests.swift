import Audit
import DaemonRuntime
import Foundation
import Logging
import StandInTenant
import TestSupport
import Testing
import TokenProtocol

@Suite("Reloads of the daemon's parts", .timeLimit(.minutes(3)))
struct DaemonReloadTests {
    // MARK: Faults

    @Test(
        "A configuration with a fault changes nothing, whatever else it asks for.",
        arguments: [
            ("colour: red", "", "colour: is not a known key"),
            ("audit: { to: /none/audit }", "", "audit.to: /none/audit can't be written"),
            ("", "ca_file: /none", "tenants.main.ca_file: /none can't be read as certificates"),
            (
                "", "proxy: { url: 'http://p:1', user: u, password: { file: /none } }",
                "tenants.main.proxy.password: /none"
            ),
        ]
    )
    func faults(settings: String, options: String, sentence: String) async throws {
        let store = StandInStore()
        try await TestDaemon.run(settings: "cache: { keep_across_restarts: true }", store: store) { daemon in
            #expect(try await daemon.token("ann").source == "tenant")
            await store.waitForFile()
            let wanted = """
                \(settings)
                log: { level: trace }
                cache: { max_entries: 1, keep_across_restarts: false }
                access: []
                quotas: { connections: 1 }
                """
            try daemon.configure(wanted, options: options + "\nscope: admin_classic")
            let reply = await daemon.reload.perform()
            #expect(reply.error?.code == .invalidConfiguration)
            #expect(reply.error?.description.contains(sentence) == true, "\(reply)")
            #expect(
                daemon.log.count(
                    "the configuration has a fault and the old one stays in force event=reload_failed fault="
                ) == 1
            )
            #expect(daemon.log.count("was read again") == 0)
            #expect(daemon.log.output.level == .info)
            #expect(await daemon.frontend.connectionShare == 0.5)
            #expect(store.names == ["tokens-a"])
            #expect(try await daemon.token("ann").source == "cache")
            #expect(try await daemon.token("bob").source == "tenant")
            #expect(try await daemon.token("ann").source == "cache", "more than one entry")
        }
    }

    @Test("All faults are in the reply, and each has a line in the log.")
    func severalFaults() async throws {
        try await TestDaemon.run { daemon in
            try daemon.configure("colour: red\nsize: big")
            let reply = await daemon.reload.perform()
            #expect(
                reply.error?.description
                    == [(1, "colour"), (2, "size")]
                    .map { "\(daemon.source.path):\($0): \($1): is not a known key" }.joined(separator: "; ")
            )
            #expect(daemon.log.count("has a fault") == 2)
        }
    }

    @Test("A reload succeeds after the fault of the last one has been corrected.")
    func mended() async throws {
        try await TestDaemon.run { daemon in
            try daemon.configure("colour: red")
            #expect(await daemon.reload.perform().error != nil)
            try daemon.configure("log: { level: debug }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(daemon.log.output.level == .debug)
            #expect(daemon.log.count("the configuration was read again event=reloaded path=\(daemon.source.path)") == 1)
        }
    }

    // MARK: Settings

    @Test("log: the level holds at once.")
    func level() async throws {
        try await TestDaemon.run { daemon in
            try daemon.configure("log: { level: error }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(daemon.log.output.level == .error)
            #expect(daemon.log.count("was read again") == 0, "a notice is no error")
        }
    }

    @Test("cache: entries beyond a smaller bound are evicted.")
    func bounds() async throws {
        try await TestDaemon.run { daemon in
            for subject in ["a", "b", "c"] { #expect(try await daemon.token(subject).source == "tenant") }
            try daemon.configure("cache: { max_entries: 2 }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await daemon.ask(#"{"op":"stats"}"#, admin: true).entries == 2)
        }
    }

    @Test("tenants: an added one is served, a removed one is unknown, and the default changes.")
    func tenants() async throws {
        try await TestDaemon.run { daemon in
            let text = TestDaemon.configuration(daemon.tenant, daemon.directory).replacing("main:", with: "other:")
            try daemon.directory.write(text, to: "c.yaml")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await daemon.token("ann", #""tenant":"main""#).error == "unknown_tenant")
            #expect(try await daemon.token("ann", #""tenant":"other""#).source == "tenant")
            #expect(try await daemon.token("ann").source == "cache", "the only one is the default")
        }
    }

    @Test("tenants: the rate holds for the next call.")
    func pace() async throws {
        try await TestDaemon.run { daemon in
            try daemon.configure(options: "rate: { per_minute: 1, burst: 1 }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await daemon.token("a").source == "tenant")
            #expect(try await daemon.token("b", #""timeout":1"#).error == "rate_limited")
        }
    }

    @Test("tenants: their own scopes are those of a request without any.")
    func scopes() async throws {
        try await TestDaemon.run { daemon in
            #expect(try await daemon.token("ann", #""scope":"admin_classic""#).error == "forbidden")
            try daemon.configure(options: "scope: admin_classic")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await daemon.token("ann").source == "tenant")
            #expect(try await daemon.token("ann", #""scope":"admin_classic""#).source == "cache")
        }
    }

    @Test("tenants: a changed secret is used, and users who were refused with the old one are asked for again.")
    func secret() async throws {
        try await TestDaemon.run { daemon in
            try await daemon.tenant.setSecrets(["new"])
            #expect(try await daemon.token("ann").error == "denied")
            #expect(try await daemon.token("ann").error == "denied")
            try daemon.directory.write("new", to: "secret")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await daemon.token("ann").source == "tenant")
        }
    }

    @Test("access and admin: the rules hold on connections that are open.")
    func access() async throws {
        try await TestDaemon.run { daemon in
            let client = try LineClient(daemon.directory.path("r"))
            let line = #"{"op":"token","subject":"ann"}"#
            #expect(try await client.answer(to: line).source == "tenant")
            try daemon.configure("access: []")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await client.answer(to: line).error == "forbidden")
        }
    }

    @Test("quotas: the share of the connections reaches the server.")
    func connectionShare() async throws {
        try await TestDaemon.run(settings: "quotas: { connections: 0.25 }") { daemon in
            #expect(await daemon.frontend.connectionShare == 0.25)
            try daemon.configure("quotas: { connections: 0.75 }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(await daemon.frontend.connectionShare == 0.75)
        }
    }

    @Test("audit: the next record is in the new file.")
    func audit() async throws {
        try await TestDaemon.run { daemon in
            #expect(try await daemon.token("ann").source == "tenant")
            let path = daemon.directory.path("audit")
            try daemon.configure("audit: { to: \(path) }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(try await daemon.token("bob").source == "tenant")
            #expect(daemon.components.auditTrail.flush())
            let records = try String(contentsOfFile: path, encoding: .utf8)
            #expect(records.contains("bob") && !records.contains("ann"))
        }
    }

    @Test("A part of the configuration without effect is in the log, at the start and at each reload.")
    func notes() async throws {
        let settings = "access: [{ users: [nobody-here] }]"
        try await TestDaemon.run(settings: settings, names: StandInNameService()) { daemon in
            let note = "the configuration names what this machine does not know now"
            #expect(daemon.log.count(note) == 1)
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(daemon.log.count(note) == 2)
        }
    }

    @Test("sockets: a reload changes neither paths nor the number of connections.")
    func sockets() async throws {
        try await TestDaemon.run { daemon in
            let path = daemon.directory.path("other")
            try daemon.configure("sockets: { requests: { path: \(path) }, max_connections: 1 }")
            #expect(await daemon.reload.perform() == .reloaded)
            #expect(!FileManager.default.fileExists(atPath: path))
            let clients = try (0..<3).map { _ in try LineClient(daemon.directory.path("r")) }
            for client in clients { #expect(try await client.answer(to: #"{"op":"hello"}"#).server == "tokencached") }
        }
    }
}

extension Reply {
    var error: ErrorReply? {
        if case .error(let error) = self { error } else { nil }
    }
}
