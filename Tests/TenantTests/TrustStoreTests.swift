import StandInTenant
import Tenant
import TestSupport
import Testing
import TokenCache

@Suite("Changes of the trusted authorities")
struct TrustStoreTests {
    @Test("After a certificate was rejected, the file of authorities is read again, at most once a second.")
    func change() async throws {
        var configuration = StandInTenant.Configuration()
        configuration.tls = .valid
        let directory = try TemporaryDirectory()
        let other = try await StandInTenant.start()
        let authority = try directory.write(other.certificateAuthorityPEM, to: "ca.pem")
        try await other.stop()
        try await withStandInTenant(configuration) { tenant in
            let clock = SetClock()
            try await withClient(of: tenant.baseURL, clock: clock) {
                $0.caFile = authority
                $0.clientID = tenant.clientID
            } _: { client in
                func mint() async -> MintOutcome { await client.mint(secret: tenant.clientSecret) }
                #expect(await mint().code == "tls_unknown_authority")
                _ = try directory.write(tenant.certificateAuthorityPEM, to: "ca.pem")
                clock.advance(.milliseconds(999))
                #expect(await mint().code == "tls_unknown_authority", "it was read less than a second ago")
                clock.advance(.milliseconds(1))
                #expect(await mint().isMinted)
            }
        }
    }

    @Test("While the file can't be read, the old authorities stay in force.", arguments: ["", "not PEM"])
    func unreadable(text: String) async throws {
        var configuration = StandInTenant.Configuration()
        configuration.tls = .expired
        let directory = try TemporaryDirectory()
        try await withStandInTenant(configuration) { tenant in
            let authority = try directory.write(tenant.certificateAuthorityPEM, to: "ca.pem")
            try await withClient(of: tenant.baseURL) {
                $0.caFile = authority
                $0.clientID = tenant.clientID
            } _: { client in
                #expect(await client.mint().code == "tls_expired")
                _ = try directory.write(text, to: "ca.pem")
                try await tenant.setCertificate(.valid)
                #expect(await client.mint(secret: tenant.clientSecret).isMinted)
            }
        }
    }
}
