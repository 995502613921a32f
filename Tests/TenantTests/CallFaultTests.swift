import Foundation
import NIOPosix
import StandInTenant
import Tenant
import TestSupport
import Testing
import TokenCache

@Suite("Reasons for which a call got no answer")
struct CallFaultTests {
    private func mint(_ origin: String, _ change: (inout TenantSettings) -> Void = { _ in }) async throws -> MintOutcome
    {
        try await withClient(of: origin, change) { await $0.mint() }
    }

    /// Runs something with a port on which no process listens.
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

    @Test("A refused connection has a code of its own.")
    func refused() async throws {
        try await withClosedPort { port in
            let outcome = try await mint("http://127.0.0.1:\(port)")
            #expect(outcome.code == "connection_refused")
            #expect(outcome.reason == "the tenant can't be reached: the connection was refused")
        }
    }

    @Test("A name that doesn't exist has a code of its own.")
    func name() async throws {
        // RFC 6761, section 6.4; without a name service there may be no answer at all.
        let code = try await mint("https://tenant.invalid").code
        #expect(code == "no_such_name" || code == "name_unresolved")
    }

    @Test("An unreachable address has a code of its own.")
    func route() async throws {
        // A multicast address can't be connected to, whatever routes there are.
        #expect(try await mint("http://224.0.0.1:1").code == "unreachable")
    }

    @Test(
        "The code for an untrusted certificate has the reason.",
        arguments: [
            (.valid, false, "tls_unknown_authority"), (.expired, true, "tls_expired"),
            (.wrongName, true, "tls_wrong_name"),
            (.notYetValid, true, "tls_not_yet_valid"),
        ] as [(StandInTenant.TransportSecurity, Bool, String)]
    )
    func certificates(kind: StandInTenant.TransportSecurity, isKnown: Bool, code: String) async throws {
        var configuration = StandInTenant.Configuration()
        configuration.tls = kind
        let directory = try TemporaryDirectory()
        try await withStandInTenant(configuration) { tenant in
            let authority = try directory.write(tenant.certificateAuthorityPEM, to: "ca.pem")
            let outcome = try await mint(tenant.baseURL) { if isKnown { $0.caFile = authority } }
            #expect(outcome.code == code)
            #expect(await tenant.counters.calls == 0)
        }
    }

    @Test("A server without TLS has codes of its own.")
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

    @Test("A tenant that doesn't answer in time has a code of its own.")
    func answer() async throws {
        try await PlayedServer.run { position in
            position.request == 0 ? [PlayedServer.token] : []
        } _: { server in
            try await withClient(of: server.origin) {
                $0.timeout = .seconds(1)
            } _: { client in
                // On a kept connection, only the answer can take long.
                try await client.warm()
                let (requests, connections) = (server.requests.count, server.connections)
                #expect(await client.mint().code == "answer_timeout")
                #expect(server.requests.count == requests + 1, "its deadline has come, so it is not sent again")
                #expect(server.connections == connections)
            }
        }
    }
}
