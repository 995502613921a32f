import DaemonConfiguration
import DaemonRuntime
import Foundation
import NIOPosix
import Secrets
import StandInTenant
import Synchronization
import Tenant
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@Suite("The tenants' clients", .timeLimit(.minutes(3)))
struct TenantClientsTests {
    /// Clients without a cache, beside a stand-in tenant.
    private final class Clients: Sendable {
        let tenant: StandInTenant
        let directory: TemporaryDirectory
        let log = RecordedLog()
        let source: ConfigurationSource
        let clients: TenantClients
        /// The clients whose secret was found to have changed.
        let changes = Mutex<[ClientReference]>([])
        /// The number of reads of the system's authorities.
        let reads: Reads

        /// A count that a closure shares with the test.
        final class Reads: Sendable {
            let count = Atomic<Int>(0)
        }

        init(_ tenant: StandInTenant) async throws {
            self.tenant = tenant
            directory = try TemporaryDirectory()
            try directory.write(tenant.clientSecret, to: "secret")
            source = ConfigurationSource(
                path: directory.path("c.yaml"),
                environment: [:],
                memory: SecretMemory(),
                accounts: AccountResolver(StandInNameService())
            )
            reads = Reads()
            let group = MultiThreadedEventLoopGroup.singleton
            clients = TenantClients(source, on: group, log: log.logger) { [reads] more in
                reads.count.add(1, ordering: .relaxed)
                return try TrustStore.load(more)
            }
            await clients.onSecretChange { client in self.changes.withLock { $0.append(client) } }
        }

        /// Reads a configuration and prepares it.
        func prepare(options: String = "", _ change: (String) -> String = { $0 }) async throws -> TenantClients.Prepared
        {
            let text = TestDaemon.configuration(tenant, directory, "", options)
            try directory.write(change(text), to: "c.yaml")
            return try await clients.prepare(source.load())
        }

        /// Reads a configuration and takes it over.
        @discardableResult
        func configure(options: String = "", _ change: (String) -> String = { $0 }) async throws -> TenantID {
            let prepared = try await prepare(options: options, change)
            _ = await clients.apply(prepared)
            return try #require(prepared.identities["main"])
        }

        func mint(_ tenant: TenantID, _ subject: String = "ann") async throws -> MintOutcome {
            let scopes = try #require(ScopeSet("user_default"))
            return await clients.mint(
                TokenKey(tenant: tenant, user: UserLookup(field: .subject, value: subject), scopes: scopes)
            )
        }
    }

    private func withClients(_ body: @Sendable (Clients) async throws -> Void) async throws {
        try await withStandInTenant { tenant in
            let clients = try await Clients(tenant)
            try await body(clients)
            await clients.clients.shutdown()
        }
    }

    // MARK: Authorities

    @Test("The system's authorities are read once for all tenants that need them, and not before the daemon serves.")
    func systemAuthorities() async throws {
        try await withClients { clients in
            let secure = { (text: String) in
                let main = text.replacing("http://", with: "https://")
                let tenant = main.split(separator: "\n").drop { !$0.hasPrefix("  main:") }.joined(separator: "\n")
                return main + "\n" + tenant.replacing("  main:", with: "  other:") + "\ndefault_tenant: main\n"
            }
            try await clients.configure(secure)
            #expect(clients.reads.count.load(ordering: .relaxed) == 0)
            await clients.clients.readAuthorities()
            await clients.clients.readAuthorities()
            #expect(clients.reads.count.load(ordering: .relaxed) == 1)
        }
    }

    @Test("Tenants without TLS cause no read of the authorities.")
    func noAuthorities() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            await clients.clients.readAuthorities()
            #expect(try await clients.mint(tenant).isMinted)
            #expect(clients.reads.count.load(ordering: .relaxed) == 0)
        }
    }

    // MARK: The 401 rule

    @Test(
        "After a 401 the secret is read again. If it has changed, the cache is told, and further calls use it."
    )
    func rotation() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            try await clients.tenant.setSecrets(["new"])
            try clients.directory.write("new", to: "secret")
            let result = try await clients.mint(tenant)
            #expect(result.isDenied(secretChanged: true))
            #expect(clients.changes.withLock { $0 } == [ClientReference(tenant)])
            #expect(clients.log.count("its secret has changed: the new one is used tenant=main") == 1)
            #expect(try await clients.mint(tenant).isMinted)
        }
    }

    @Test("If the secret has not changed, the user is denied.")
    func unchanged() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            #expect(try await clients.mint(tenant, "unknown:x").isDenied(secretChanged: false))
            #expect(clients.changes.withLock { $0 }.isEmpty)
        }
    }

    @Test("After another status than 401 the secret is not read again.")
    func otherStatus() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            try clients.directory.write("new", to: "secret")
            #expect(try await clients.mint(tenant, "client-not-trusted:x").isDenied(secretChanged: false))
            #expect(clients.changes.withLock { $0 }.isEmpty)
        }
    }

    @Test("A call that was made with the old secret while another one found the new one is retried, too.")
    func foundMeanwhile() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            try await clients.tenant.setSecrets(["new"])
            try clients.directory.write("new", to: "secret")
            await clients.tenant.holdReplies()
            async let first = clients.mint(tenant, "ann")
            async let second = clients.mint(tenant, "bob")
            try await clients.tenant.waitForHeldReplies(count: 2)
            await clients.tenant.releaseReplies()
            #expect(try await first.isDenied(secretChanged: true))
            #expect(try await second.isDenied(secretChanged: true))
            #expect(clients.changes.withLock { $0 } == [ClientReference(tenant)], "found once")
        }
    }

    @Test("A file that can't be read any more leaves the old secret in use, and is logged.")
    func unreadable() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            try FileManager.default.removeItem(atPath: clients.directory.path("secret"))
            #expect(try await clients.mint(tenant, "unknown:x").isDenied(secretChanged: false))
            #expect(clients.log.count("the client's secret can't be read again: the old one is kept") == 1)
            #expect(try await clients.mint(tenant).isMinted)
        }
    }

    @Test("The cache retries the call once with the new secret, so a rotation costs no caller anything.")
    func retried() async throws {
        try await TestDaemon.run { daemon in
            try await daemon.tenant.setSecrets(["new"])
            try daemon.directory.write("new", to: "secret")
            let token = try await daemon.token("ann")
            #expect(token.source == "tenant")
            #expect(await daemon.tenant.callCount(value: "ann") == 2)
        }
    }

    @Test("A call that is refused with the new secret, too, is not retried again.")
    func retriedOnce() async throws {
        try await TestDaemon.run { daemon in
            try await daemon.tenant.setSecrets(["another"])
            try daemon.directory.write("new", to: "secret")
            let token = try await daemon.token("ann")
            #expect(token.error == "denied")
            #expect(await daemon.tenant.callCount(value: "ann") == 2)
        }
    }

    // MARK: Reloads

    @Test("A tenant of the same name, host and client keeps its identity. A changed client gets a new one.")
    func identities() async throws {
        try await withClients { clients in
            let first = try await clients.configure()
            #expect(try await clients.configure(options: "timeout: 5s") == first)
            let second = try await clients.configure { $0.replacing("client_id: ", with: "client_id: other-") }
            #expect(second != first)
            #expect(try await clients.mint(first).isUnavailable("the tenant is no longer configured"))
            #expect(try await clients.configure() != first, "an identity is never used again")
        }
    }

    @Test("The tenants of a prepared configuration can be called beside the present ones.")
    func prepared() async throws {
        try await withClients { clients in
            let first = try await clients.configure()
            let prepared = try await clients.prepare { $0.replacing("main:", with: "new:") }
            #expect(try await clients.mint(first).isMinted)
            #expect(try await clients.mint(try #require(prepared.identities["new"])).isMinted)
            _ = await clients.clients.apply(prepared)
            #expect(try await clients.mint(first).isUnavailable("the tenant is no longer configured"))
        }
    }

    @Test("An unusable file of authorities is a fault with its line, and changes nothing.")
    func authorities() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            let path = try clients.directory.write("no PEM", to: "ca.pem")
            await #expect {
                try await clients.prepare(options: "ca_file: \(path)")
            } throws: { error in
                (error as? ConfigurationFaults)?.description.hasSuffix(
                    "c.yaml:7: tenants.main.ca_file: \(path) can't be read as certificates in PEM form"
                ) == true
            }
            #expect(try await clients.mint(tenant).isMinted)
        }
    }

    // MARK: Further clients

    private static let furtherClients = """
        clients:
          backend: { client_id: backend, client_secret: { file: FOLDER/backend } }
          jobs: { client_id: jobs, client_secret: { file: FOLDER/jobs } }
        """

    /// Configures two further clients, which the tenant knows with their names as their secrets.
    private func configureFurther(_ clients: Clients, backend id: String = "backend") async throws -> TenantID {
        for name in ["backend", "jobs"] { try clients.directory.write(name, to: name) }
        let known = ["backend", "jobs", "other"].map {
            StandInTenant.Client(id: $0, secrets: [$0], scopes: ["user_default"])
        }
        try await clients.tenant.setClients(known)
        let options = Self.furtherClients.replacing("FOLDER", with: clients.directory.path(""))
        return try await clients.configure(options: options.replacing("client_id: backend", with: "client_id: \(id)"))
    }

    private func mint(_ clients: Clients, _ tenant: TenantID, _ name: String, id: String? = nil) async -> MintOutcome {
        let key = TokenKey(user: UserKey(tenant: tenant, client: name), scopes: .all)
        return await clients.clients.mintForClient(key, clientID: id ?? name)
    }

    @Test("A further client's token is minted with its own id and secret, on the tenant's connection.")
    func furtherClient() async throws {
        try await withClients { clients in
            let tenant = try await configureFurther(clients)
            #expect(try await clients.mint(tenant).isMinted)
            #expect(await mint(clients, tenant, "backend").isMinted)
            #expect(await clients.tenant.mintCount(field: .client, value: "backend") == 1)
            #expect(await clients.tenant.counters.connections == 1)
            #expect(await mint(clients, tenant, "nobody").isUnavailable("the client is no longer configured"))
            #expect(
                await mint(clients, tenant, "backend", id: "jobs").isUnavailable("the client is no longer configured")
            )
            let key = TokenKey(user: UserKey(tenant: tenant, client: "backend"), scopes: .all)
            #expect(await clients.clients.mint(key).isUnavailable("the client is no longer configured"))
        }
    }

    @Test("After a 401 only the secret of the client that was refused is read again, and only it is told of.")
    func furtherRotation() async throws {
        try await withClients { clients in
            let tenant = try await configureFurther(clients)
            let renewed = StandInTenant.Client(id: "backend", secrets: ["new"], scopes: ["user_default"])
            try await clients.tenant.setClients([renewed])
            try clients.directory.write("new", to: "backend")
            try clients.directory.write("new", to: "jobs")
            #expect(await mint(clients, tenant, "backend").isDenied(secretChanged: true))
            #expect(clients.changes.withLock { $0 } == [ClientReference(tenant, name: "backend")])
            #expect(clients.log.count("its secret has changed: the new one is used client=backend tenant=main") == 1)
            #expect(await mint(clients, tenant, "backend").isMinted)
        }
    }

    @Test("While a reload changes a client's id, calls by the old id and by the new one are made, each as itself.")
    func changedClient() async throws {
        try await withClients { clients in
            let tenant = try await configureFurther(clients)
            try clients.directory.write("other", to: "other")
            let options = Self.furtherClients.replacing("FOLDER", with: clients.directory.path(""))
                .replacing("client_id: backend", with: "client_id: other")
                .replacing("/backend }", with: "/other }")
            let prepared = try await clients.prepare(options: options)
            #expect(await mint(clients, tenant, "backend").isMinted)
            #expect(await mint(clients, tenant, "backend", id: "other").isMinted)
            #expect(await clients.clients.apply(prepared) == [], "another client is no changed secret")
            #expect(await mint(clients, tenant, "backend").isUnavailable("the client is no longer configured"))
            #expect(await mint(clients, tenant, "backend", id: "other").isMinted)
        }
    }

    @Test("A reload reports a further client whose secret has changed, and no other.")
    func changedFurtherSecret() async throws {
        try await withClients { clients in
            let tenant = try await configureFurther(clients)
            try clients.directory.write("another", to: "jobs")
            let options = Self.furtherClients.replacing("FOLDER", with: clients.directory.path(""))
            let changed = await clients.clients.apply(try await clients.prepare(options: options))
            #expect(changed == [ClientReference(tenant, name: "jobs")])
        }
    }

    @Test("A reload reports the tenants whose secret has changed, once.")
    func changedSecrets() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            try clients.directory.write("another", to: "secret")
            let changed = await clients.clients.apply(try await clients.prepare())
            #expect(changed == [ClientReference(tenant)])
            let again = await clients.clients.apply(try await clients.prepare())
            #expect(again == [])
        }
    }

    @Test("A reload without a change keeps the connection to the tenant.")
    func keptConnection() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            #expect(try await clients.mint(tenant).isMinted)
            try await clients.configure(options: "rate: { per_minute: 10 }")
            #expect(try await clients.mint(tenant, "bob").isMinted)
            #expect(await clients.tenant.counters.connections == 1)
        }
    }

    @Test("A client that a reload replaces completes its calls under way, and then closes its connections.")
    func replaced() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            await clients.tenant.holdReplies()
            async let call = clients.mint(tenant)
            try await clients.tenant.waitForHeldReplies(count: 1)
            try await clients.configure(options: "timeout: 20s")
            #expect(await clients.tenant.counters.openConnections == 1, "its call is under way")
            await clients.tenant.releaseReplies()
            #expect(try await call.isMinted)
            try await clients.tenant.wait { $0.openConnections == 0 }
            #expect(try await clients.mint(tenant, "bob").isMinted)
            #expect(await clients.tenant.counters.connections == 2)
        }
    }

    @Test("A revocation goes to its tenant, and fails for one that is no longer configured.")
    func revocation() async throws {
        try await withClients { clients in
            let tenant = try await clients.configure()
            guard case .minted(let token, _, _) = try await clients.mint(tenant) else {
                Issue.record("no token")
                return
            }
            #expect(await clients.clients.revoke(token, tenant: tenant) == .accepted)
            #expect(await clients.tenant.counters.revocations == 1)
            let other = TenantID(number: 99, name: "main")
            #expect(
                await clients.clients.revoke(token, tenant: other)
                    == .failed(.unavailable("the tenant is no longer configured", retryAfter: nil))
            )
            #expect(await clients.tenant.counters.revocations == 1)
        }
    }
}

extension MintOutcome {
    fileprivate var isMinted: Bool {
        if case .minted = self { true } else { false }
    }

    fileprivate func isDenied(secretChanged: Bool) -> Bool {
        if case .failed(.denied(_, secretChanged: secretChanged)) = self { true } else { false }
    }

    fileprivate func isUnavailable(_ reason: String) -> Bool {
        if case .failed(.unavailable(reason, code: _, retryAfter: _)) = self { true } else { false }
    }
}
