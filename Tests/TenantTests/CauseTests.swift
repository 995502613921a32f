import Foundation
import NIOPosix
import StandInTenant
import Tenant
import TestSupport
import Testing

@Suite("Why a call got no answer")
struct CauseTests {
    private func mint(_ origin: String, _ change: (inout TenantSettings) -> Void = { _ in }) async throws -> MintOutcome
    {
        try await withClient(of: origin, change) { await $0.mint() }
    }

    /// A port of this machine at which nobody listens, for as long as a body runs.
    private func withClosedPort(_ body: (Int) async throws -> Void) async throws {
        let tenant = try await StandInTenant.start()
        try await tenant.stopListening()
        try await body(tenant.port)
        try await tenant.stop()
    }

    @Test("Each cause has a code and a sentence of its own.")
    func distinct() {
        let causes = CallFault.Cause.allCases.map { CallFault($0) }
        #expect(Set(causes.map(\.code)).count == causes.count)
        let own = causes.filter { ![.authentication, .forbidden, .gateway].contains($0.cause) }
        #expect(Set(own.map(\.sentence)).count == own.count)
        let proxy: [CallFault.Cause] = [
            .noSuchName, .nameUnresolved, .refused, .unreachable, .connectTimeout, .localLimit, .answerTimeout,
            .connectionLost, .notHTTP, .authentication, .forbidden, .gateway,
        ]
        let sentences = own.map(\.sentence) + proxy.map { CallFault($0, at: .proxy).sentence }
        #expect(Set(sentences).count == sentences.count)
    }

    @Test("Nobody listens.")
    func refused() async throws {
        try await withClosedPort { port in
            let outcome = try await mint("http://127.0.0.1:\(port)")
            #expect(outcome.code == "connection_refused")
            #expect(outcome.reason == "the tenant can't be reached: the connection was refused")
        }
    }

    @Test("There is no such name.")
    func name() async throws {
        // RFC 6761, section 6.4; without a name service there may be no answer at all.
        let code = try await mint("https://tenant.invalid").code
        #expect(code == "no_such_name" || code == "name_unresolved")
    }

    @Test("There is no route.")
    func route() async throws {
        // A multicast address can't be connected to, whatever routes there are.
        #expect(try await mint("http://224.0.0.1:1").code == "unreachable")
    }

    @Test(
        "A certificate that can't be trusted says why.",
        arguments: [
            (.valid, false, "tls_unknown_authority"), (.expired, true, "tls_expired"),
            (.wrongName, true, "tls_wrong_name"),
            (.notYetValid, true, "tls_not_yet_valid"),
        ] as [(StandInTenant.TransportSecurity, Bool, String)]
    )
    func certificates(kind: StandInTenant.TransportSecurity, isKnown: Bool, code: String) async throws {
        var configuration = StandInTenant.Configuration()
        configuration.tls = kind
        let folder = try TemporaryDirectory()
        try await withStandInTenant(configuration) { tenant in
            let authority = try folder.write(tenant.certificateAuthorityPEM, to: "ca.pem")
            let outcome = try await mint(tenant.baseURL) { if isKnown { $0.caFile = authority } }
            #expect(outcome.code == code)
            #expect(await tenant.counters.calls == 0)
        }
    }

    @Test("Where no TLS is spoken, that is said.")
    func plain() async throws {
        try await PlayedServer.run { _ in
            []
        } _: { server in
            let origin = "https://127.0.0.1:\(server.port)"
            let outcome = try await mint(origin) { $0.connectTimeout = .seconds(5) }
            #expect(outcome.code == "tls_timeout")
        }
        try await PlayedServer.run(greeting: Array("220 smtp\r\n".utf8)) { _ in
            []
        } _: { server in
            let outcome = try await mint("https://127.0.0.1:\(server.port)")
            #expect(outcome.code == "tls_failed")
        }
    }

    @Test("A tenant that is reached and doesn't answer.")
    func answer() async throws {
        try await PlayedServer.run { place in
            place.request == 0 ? [PlayedServer.token] : []
        } _: { server in
            try await withClient(of: server.origin) {
                $0.timeout = .seconds(1)
            } _: { client in
                // On a connection that is there, nothing but the answer can take long.
                try await client.warm()
                #expect(await client.mint().code == "answer_timeout")
            }
        }
    }
}

@Suite("Authorities that change")
struct TrustTests {
    @Test("The file of authorities is read again when a certificate isn't taken, once a second, and the call goes on.")
    func change() async throws {
        var configuration = StandInTenant.Configuration()
        configuration.tls = .valid
        let folder = try TemporaryDirectory()
        let other = try await StandInTenant.start()
        let authority = try folder.write(other.certificateAuthorityPEM, to: "ca.pem")
        try await other.stop()
        try await withStandInTenant(configuration) { tenant in
            let clock = SetClock()
            try await withClient(of: tenant.baseURL, clock: clock) {
                $0.caFile = authority
                $0.clientID = tenant.clientID
            } _: { client in
                func mint() async -> MintOutcome { await client.mint(secret: tenant.clientSecret) }
                #expect(await mint().code == "tls_unknown_authority")
                _ = try folder.write(tenant.certificateAuthorityPEM, to: "ca.pem")
                clock.advance(.milliseconds(999))
                #expect(await mint().code == "tls_unknown_authority", "it was read less than a second ago")
                clock.advance(.milliseconds(1))
                #expect(await mint().isMinted)
            }
        }
    }

    @Test("While the file can't be read, the authorities read before stay in force.", arguments: ["", "not PEM"])
    func unreadable(text: String) async throws {
        var configuration = StandInTenant.Configuration()
        configuration.tls = .expired
        let folder = try TemporaryDirectory()
        try await withStandInTenant(configuration) { tenant in
            let authority = try folder.write(tenant.certificateAuthorityPEM, to: "ca.pem")
            try await withClient(of: tenant.baseURL) {
                $0.caFile = authority
                $0.clientID = tenant.clientID
            } _: { client in
                #expect(await client.mint().code == "tls_expired")
                _ = try folder.write(text, to: "ca.pem")
                try await tenant.setCertificate(.valid)
                #expect(await client.mint(secret: tenant.clientSecret).isMinted)
            }
        }
    }
}
