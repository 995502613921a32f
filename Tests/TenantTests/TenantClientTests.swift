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

@Suite("One call to the tenant")
struct TenantClientTests {
    private func withClient<Result>(
        _ tenant: StandInTenant,
        timeout: Duration = TestTimeout.duration,
        caFile: String? = nil,
        origin: String? = nil,
        memory: SecretMemory? = nil,
        _ body: (TenantClient) async throws -> Result
    ) async throws -> Result {
        var settings = TenantSettings(
            origin: origin ?? tenant.baseURL,
            clientID: tenant.clientID,
            timeout: timeout,
            caFile: caFile,
            userAgent: "tokencached/test"
        )
        // A machine that is busy with other tests may take long for a handshake.
        settings.connectTimeout = TestTimeout.duration
        let client = try TenantClient(settings, on: MultiThreadedEventLoopGroup.singleton, memory: memory)
        do {
            let result = try await body(client)
            client.shutdown()
            return result
        } catch {
            client.shutdown()
            throw error
        }
    }

    private func mint(_ subject: String, _ tenant: StandInTenant, _ client: TenantClient) async throws -> MintOutcome {
        await client.mint(
            UserLookup(field: .subject, value: subject),
            scopes: try #require(ScopeSet("user_default")),
            as: .secret(ClientSecret(tenant.clientSecret))
        )
    }

    private func shown(_ outcome: MintOutcome) -> ExpectedOutcome {
        switch outcome {
        case .minted(_, _, let lifetime): .minted(lifetime: lifetime.map(seconds))
        case .failed(.denied(let upstream, _)): .denied(upstream.status)
        case .failed(.throttled(let retryAfter)): .throttled(retryAfter.map(seconds))
        case .failed(.malformed): .malformed
        case .failed(.rejected): .rejected
        case .failed(.noMemory): .noMemory
        case .failed(.unavailable(_, _, nil)): .unavailable
        case .failed(.unavailable(_, _, .unusable)): .paused(nil)
        case .failed(.unavailable(_, _, .usable(let length))): .paused(seconds(length))
        }
    }

    private func seconds(_ duration: Duration) -> Double { (duration / .seconds(1)).rounded() }

    private static let cases: [(String, ExpectedOutcome)] = [
        ("ok", .minted(lifetime: 21_600)), ("bearer", .minted(lifetime: 3_600)), ("expires-20", .minted(lifetime: 20)),
        ("expires-at-3600", .minted(lifetime: 3_600)), ("no-expiry", .minted(lifetime: nil)),
        ("epoch", .minted(lifetime: 21_600)), ("disagree-100-200", .minted(lifetime: 100)),
        ("disagree-200-100", .minted(lifetime: 100)), ("expires-text-90", .minted(lifetime: 90)),
        ("clock-off-5000", .minted(lifetime: 21_600)),
        ("expires-in--1", .minted(lifetime: nil)), ("expires-in-0", .minted(lifetime: nil)),
        ("expires-in-1e400", .minted(lifetime: nil)), ("expires-in-null", .minted(lifetime: nil)),
        ("expires-in-1.5", .minted(lifetime: 2)), ("narrowed", .minted(lifetime: 21_600)),
        ("refresh-token", .minted(lifetime: 21_600)), ("token-bytes-16384", .minted(lifetime: 21_600)),
        ("text-plain", .minted(lifetime: 21_600)), ("no-content-type", .minted(lifetime: 21_600)),
        ("chunked", .minted(lifetime: 21_600)),
        ("unknown", .denied(401)), ("unknown-400", .denied(400)), ("unknown-404", .denied(404)),
        ("bad-secret", .denied(401)),
        ("client-not-trusted", .denied(403)), ("grant-not-enabled", .denied(400)), ("scope-not-allowed", .denied(400)),
        ("user-disabled", .denied(403)), ("too-many-tokens", .denied(403)), ("wrong-host", .denied(404)),
        ("rfc6749", .denied(400)), ("empty-401", .denied(401)), ("html-403", .denied(403)),
        ("throttled-13", .throttled(13)), ("throttled-date-60", .throttled(60)),
        ("throttled-malformed", .throttled(nil)),
        ("throttled", .throttled(nil)), ("throttled-day", .throttled(86_400)),
        ("status-500", .unavailable), ("unavailable", .unavailable), ("unavailable-30", .paused(30)),
        ("status-503-retry-soon", .paused(nil)), ("html-502", .unavailable), ("status-408", .unavailable),
        ("status-425", .unavailable), ("status-500-retry-9", .unavailable),
        ("reset-before", .unavailable), ("reset-within-head", .unavailable), ("reset-after-head", .unavailable),
        ("close-before", .unavailable), ("close-within-head", .unavailable), ("close-within-body", .unavailable),
        ("no-token", .malformed), ("empty-token", .malformed), ("null-token", .malformed), ("number-token", .malformed),
        ("array", .malformed), ("truncated", .malformed), ("bom", .malformed), ("invalid-utf8", .malformed),
        ("duplicate", .malformed), ("nested", .malformed), ("token-crlf", .malformed), ("token-nul", .malformed),
        ("html-200", .malformed), ("flood-1", .malformed), ("flood-chunked-1", .malformed), ("status-418", .rejected),
        ("empty-204", .malformed), ("redirect-307-same", .malformed), ("redirect-302-other", .malformed),
        ("redirect-307-other", .malformed),
    ]

    @Test(
        "A client's own token is asked for with its id, and with scopes only if there are some.",
        arguments: [nil, "apps:read"]
    )
    func ownToken(scope: String?) async throws {
        try await withStandInTenant { tenant in
            let backend = StandInTenant.Client(id: "backend", secrets: ["s"], scopes: ["user_default", "apps:read"])
            try await tenant.setClients([backend])
            let client = try TenantClient(
                TenantSettings(
                    origin: tenant.baseURL,
                    clientID: tenant.clientID,
                    timeout: .seconds(30),
                    userAgent: "tokencached/test"
                ),
                on: MultiThreadedEventLoopGroup.singleton
            )
            let outcome = await client.mint(
                UserLookup(field: .client, value: "a-name-of-the-configuration"),
                scopes: scope.flatMap { ScopeSet($0) } ?? .all,
                as: .secret(ClientSecret("s")),
                of: "backend"
            )
            client.shutdown()
            guard case .minted(_, let granted, _) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(granted == scope ?? "user_default apps:read")
            #expect(await tenant.mintCount(field: .client, value: "backend") == 1)
            #expect(await tenant.violations == [])
        }
    }

    @Test("Every form of a reply has the outcome that the protocol defines.", arguments: cases)
    func outcomes(behaviour: String, expected: ExpectedOutcome) async throws {
        try await withStandInTenant { tenant in
            try await withClient(tenant) { client in
                let outcome = shown(try await mint("\(behaviour):ann", tenant, client))
                #expect(outcome.isAlmost(expected), "\(outcome) instead of \(expected)")
                let counters = await tenant.counters
                #expect(counters.calls == 1, "no call is repeated")
                #expect(counters.redirectsFollowed == 0)
                #expect(await tenant.violations.isEmpty)
            }
        }
    }

    @Test(
        "A tenant that hangs, at whatever point, is waited for until the time-out.",
        arguments: ["never", "never-after-head", "slow-head-60000", "drip-60000"]
    )
    func hangs(behaviour: String) async throws {
        try await withStandInTenant { tenant in
            try await withClient(tenant, timeout: .seconds(1)) { client in
                // On a kept connection, only the answer can take long.
                try await client.warm(secret: tenant.clientSecret)
                let outcome = try await mint("\(behaviour):ann", tenant, client)
                #expect(shown(outcome) == .unavailable)
                #expect(outcome.reason?.contains("took longer than") == true)
            }
        }
    }

    @Test("A tenant that doesn't listen is unavailable.")
    func refused() async throws {
        let tenant = try await StandInTenant.start()
        try await tenant.stop()
        try await withClient(tenant) { client in
            let outcome = shown(try await mint("ann", tenant, client))
            #expect(outcome == .unavailable)
        }
    }

    @Test("The tenant's reason for a denial is passed on, cut and without control characters, but HTML is not.")
    func words() async throws {
        try await withStandInTenant { tenant in
            try await withClient(tenant) { client in
                let own = try #require(try await mint("user-disabled:ann", tenant, client).upstream)
                let standard = try #require(try await mint("rfc6749-invalid_client:ann", tenant, client).upstream)
                let page = try await mint("html-403:ann", tenant, client).upstream
                #expect(own.code?.hasPrefix("OAUTH-") == true)
                #expect(own.title?.isEmpty == false)
                #expect(standard.code == "invalid_client")
                #expect(page == ErrorReply.Upstream(status: 403))
            }
        }
    }

    @Test("The granted scope is in the outcome if the reply has one.")
    func scope() async throws {
        try await withStandInTenant { tenant in
            try await withClient(tenant) { client in
                guard case .minted(_, let narrowed, _) = try await mint("narrowed-apps:read:ann", tenant, client),
                    case .minted(_, let silent, _) = try await mint("no-scope:ann", tenant, client)
                else { return #expect(Bool(false)) }
                #expect(narrowed != nil)
                #expect(silent == nil)
            }
        }
    }

    @Test(
        "Any subject reaches the tenant unchanged.",
        arguments: ["auth0|5f", #"DOMAIN\user"#, "日本語😀", "a\"b\n\t\u{1}", "é", "e\u{301}"]
    )
    func subjects(subject: String) async throws {
        try await withStandInTenant { tenant in
            try await withClient(tenant) { client in
                let outcome = shown(try await mint(subject, tenant, client))
                #expect(outcome == .minted(lifetime: 21_600))
                #expect(await tenant.mintCount(field: .subject, value: subject, scope: "user_default") == 1)
                #expect(await tenant.violations.isEmpty)
            }
        }
    }

    @Test("TLS is verified: the authority has to be trusted, and the certificate be valid and for the host.")
    func tls() async throws {
        let directory = try TemporaryDirectory()
        for (kind, expected) in [
            (StandInTenant.TransportSecurity.valid, ExpectedOutcome.minted(lifetime: 21_600)), (.expired, .unavailable),
            (.wrongName, .unavailable),
        ] {
            var configuration = StandInTenant.Configuration()
            configuration.tls = kind
            try await withStandInTenant(configuration) { tenant in
                let authority = try directory.write(tenant.certificateAuthorityPEM, to: "ca.pem")
                try await withClient(tenant, caFile: authority) { client in
                    let outcome = shown(try await mint("ann", tenant, client))
                    #expect(outcome == expected, "\(kind)")
                }
                guard kind == .valid else { return }
                try await withClient(tenant) { client in
                    let outcome = shown(try await mint("ann", tenant, client))
                    #expect(outcome == .unavailable)
                }
            }
        }
    }

    @Test("A token for which there is no memory is an outcome of its own, and the next call succeeds.")
    func noMemory() async throws {
        let isExhausted = Atomic(true)
        let memory = unsafe SecretMemory(map: { length in
            isExhausted.load(ordering: .relaxed) ? nil : unsafe SecretPages.map(length)
        })
        try await withStandInTenant { tenant in
            try await withClient(tenant, memory: memory) { client in
                let lost = shown(try await mint("ann", tenant, client))
                #expect(lost == .noMemory)
                isExhausted.store(false, ordering: .relaxed)
                let next = shown(try await mint("ann", tenant, client))
                #expect(next == .minted(lifetime: 21_600))
            }
        }
    }

    @Test("A file without authorities is rejected.")
    func authorities() async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("malformed", to: "ca.pem")
        let settings = TenantSettings(
            origin: "https://localhost",
            clientID: "x",
            timeout: .seconds(1),
            caFile: file,
            userAgent: "x"
        )
        #expect(throws: (any Error).self) { _ = try TenantClient(settings, on: MultiThreadedEventLoopGroup.singleton) }
    }

    @Test("A revoked token is invalid at the tenant, and a denied revocation is no success.")
    func revoke() async throws {
        try await withStandInTenant { tenant in
            try await withClient(tenant) { client in
                guard case .minted(let token, _, _) = try await mint("ann", tenant, client) else {
                    return #expect(Bool(false))
                }
                #expect(await client.revoke(token) == .accepted)
                let text = unsafe token.bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
                #expect(await !tenant.isLive(text))
                try await tenant.setRevocationBehaviour("status-400")
                #expect(await client.revoke(token) != .accepted)
            }
        }
    }

    @Test("A call goes in the trace that it is given, and a call without one names none.")
    func trace() async throws {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let context = TraceContext(Array(text.utf8).span)
        let trace = try #require(context)
        let user = UserLookup(field: .subject, value: "ann")
        let scopes = try #require(ScopeSet("user_default"))
        try await withStandInTenant { tenant in
            try await withClient(tenant) { client in
                let secret = ClientCredential.secret(ClientSecret(tenant.clientSecret))
                let outcome = await client.mint(user, scopes: scopes, as: secret, in: trace)
                guard case .minted(let token, _, _) = outcome else { return #expect(Bool(false)) }
                _ = try await mint("bob", tenant, client)
                #expect(await client.revoke(token, in: trace) == .accepted)
                #expect(await tenant.requests.map(\.traceparent) == [text, nil, text])
            }
        }
    }

    @Test(
        "A connection may take a part of the call's time, half of it at least, and never all.",
        arguments: [1, 10, 300]
    )
    func connectTimeout(seconds: Int) {
        let timeout = Duration.seconds(seconds)
        let settings = TenantSettings(
            origin: "https://tenant.example",
            clientID: "client",
            timeout: timeout,
            userAgent: "tokencached/test"
        )
        #expect(settings.connectTimeout >= timeout / 2 && settings.connectTimeout < timeout)
    }
}
