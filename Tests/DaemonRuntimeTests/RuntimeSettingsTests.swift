import DaemonConfiguration
import DaemonRuntime
import FleetStore
import Foundation
import Logging
import SocketServer
import StandInTenant
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("The settings that a configuration puts into force", .timeLimit(.minutes(3)))
struct RuntimeSettingsTests {
    /// The properties of a configuration, with the settings that they become a part of.
    private static let properties: [String: String] = [
        "cachePolicy": "runtime", "keepsAcrossRestarts": "runtime", "connectionShare": "runtime",
        "defaultTenant": "runtime", "tenants": "runtime", "access": "runtime", "administrators": "runtime",
        "audit": "runtime", "metricsListen": "runtime", "logLevel": "runtime", "logFormat": "runtime",
        "fleet": "runtime",
        "sockets": "start",
        // The positions of others.
        "auditLine": "none", "metricsLine": "none", "logFormatLine": "none",
    ]

    private func parse(_ settings: String) throws -> DaemonConfiguration {
        let tenant = "tenants: { main: { host: 'https://t.example', client_id: c, client_secret: { file: /s } } }"
        return try DaemonConfiguration.parse(Data("\(settings)\n\(tenant)".utf8), file: "c.yaml")
    }

    @Test(
        "Each property of a configuration is in the list of these tests, which says where it is applied."
    )
    func complete() throws {
        let labels = Mirror(reflecting: try parse("")).children.compactMap(\.label)
        #expect(Set(labels) == Set(Self.properties.keys))
    }

    @Test("The settings have every value that a reload applies.")
    func derived() async throws {
        try await TestDaemon.run { daemon in
            try daemon.directory.write("\(String(repeating: "A", count: 43))=\n", to: "fleet-key")
            try daemon.configure(
                """
                fleet: { url: 'unix:///run/engine', key: { file: \(daemon.directory.path("fleet-key")) }, timeout: 1s }
                cache: { max_entries: 5, idle_ttl: 61, negative_ttl: 62, keep_across_restarts: false }
                refresh: { ahead: 0.2, jitter: 0.05, last_chance: 0.3, min_ttl: 63, default_lifetime: 64 }
                quotas: { connections: 0.1, waiting: 0.2, entries: 0.3 }
                access: [{ users: [7], subjects: ["a*"] }]
                admin: { users: [8] }
                log: { level: warning, format: json }
                audit: { to: none }
                """,
                options: """
                    scope: x y
                    rate: { per_minute: 3, burst: 4 }
                    api_rate: { per_minute: 6, burst: 7 }
                    max_concurrent: 5
                    clients: { users: { client_id: u, client_secret: { file: \(daemon.directory.path("secret")) } } }
                    provision: { client: users, groups: [g], revoke_client: users }
                    """
            )
            let settings = try await daemon.components.prepare(daemon.source.load())
            var policy = CachePolicy()
            policy.maxEntries = 5
            policy.idleTTL = .seconds(61)
            policy.negativeTTL = .seconds(62)
            policy.ahead = 0.2
            policy.jitter = 0.05
            policy.refreshDeadline = 0.3
            policy.minTTL = .seconds(63)
            policy.defaultLifetime = .seconds(64)
            policy.waitingShare = 0.2
            policy.entriesShare = 0.3
            #expect(settings.cachePolicy == policy)
            #expect(!settings.keepsAcrossRestarts)
            #expect(settings.connectionShare == 0.1)
            #expect(settings.logLevel == .warning)
            #expect(settings.logFormat == .json)
            #expect(settings.fleet.settings?.url == EngineURL(address: .socket(path: "/run/engine")))
            #expect(settings.fleet.settings?.timeout == .seconds(1))
            let id = try #require(settings.clients.identities["main"])
            let identity = TenantPolicy.Identity(host: daemon.tenant.baseURL, clientID: daemon.tenant.clientID)
            var tenant = TenantPolicy(identity: identity, ratePerMinute: 3, burst: 4, maxConcurrent: 5)
            (tenant.apiRatePerMinute, tenant.apiBurst) = (6, 7)
            tenant.clients = ["users": ClientPolicy(clientID: "u", scopes: nil)]
            let provisioning = ProvisioningPolicy(client: "users", groups: [Glob("g")], revokeClient: "users")
            tenant.provisioning = provisioning
            #expect(settings.tenantPolicies == [id: tenant])
            #expect(settings.access.directory.provisioning(of: id) == provisioning)
            #expect(settings.access.directory.ids == [id])
            #expect(settings.access.directory.scopes(of: id)?.text == "x y")
            #expect(settings.access.rules.map(\.peers.users) == [[7]])
            let administrators = settings.access.administrators.users
            #expect(administrators.isSuperset(of: [0, 8]))
            #expect(settings.notes.isEmpty)
            // It was only prepared.
            await daemon.components.apply(settings)
        }
    }

    @Test("The sockets, and the number of their connections, are settings of a start.")
    func start() throws {
        let settings = StartSettings(
            try parse(
                """
                sockets:
                  requests: { path: /r, mode: "0666", group: staff }
                  admin: { path: /a }
                  max_connections: 9
                """
            )
        )
        #expect((settings.requests.path, settings.requests.mode, settings.requests.group) == ("/r", 0o666, "staff"))
        #expect(settings.admin.path == "/a")
        #expect(settings.maxConnections == 9)
    }
}
