import Foundation
import NIOPosix
import NIOSSL
import StandInTenant
import Synchronization
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

    /// Counts the reads of the system's authorities, which have none here.
    private final class Reads: Sendable {
        private let count = Atomic<Int>(0)

        var number: Int { count.load(ordering: .relaxed) }

        @Sendable func load(_ more: [NIOSSLCertificate]) throws -> NIOSSLContext {
            count.add(1, ordering: .relaxed)
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(more)
            return try NIOSSLContext(configuration: configuration)
        }
    }

    @Test("The system's authorities are read once, for the first of several calls at the same time.")
    func lazy() async throws {
        try await withSecureTenant { tenant, settings, file in
            let reads = Reads()
            let trust = try TrustStore(file, load: reads.load)
            let client = try TenantClient(settings, on: MultiThreadedEventLoopGroup.singleton, trust: trust)
            defer { client.shutdown() }
            #expect(reads.number == 0)
            async let first = client.mint("ann", secret: tenant.clientSecret)
            async let second = client.mint("bob", secret: tenant.clientSecret)
            #expect(await first.isMinted)
            #expect(await second.isMinted)
            #expect(reads.number == 1)
        }
    }

    @Test("The file's authorities are those of the moment at which the file was read.")
    func kept() async throws {
        try await withSecureTenant { tenant, settings, file in
            let trust = try TrustStore(file)
            try FileManager.default.removeItem(atPath: file)
            let client = try TenantClient(settings, on: MultiThreadedEventLoopGroup.singleton, trust: trust)
            defer { client.shutdown() }
            #expect(await client.mint(secret: tenant.clientSecret).isMinted)
        }
    }

    @Test("Without the system's authorities, a tenant of the file's is trusted, and another one is not.")
    func noSystem() async throws {
        struct Missing: Error {}
        try await withSecureTenant { tenant, settings, file in
            for (file, isTrusted) in [(file, true), (nil, false)] {
                let trust = try TrustStore(file) { _ in throw Missing() }
                let client = try TenantClient(settings, on: MultiThreadedEventLoopGroup.singleton, trust: trust)
                defer { client.shutdown() }
                let outcome = await client.mint(secret: tenant.clientSecret)
                #expect(outcome.isMinted == isTrusted)
                #expect(isTrusted || outcome.code == "tls_unknown_authority")
            }
        }
    }

    @Test("A tenant without TLS needs no authorities.")
    func plain() async throws {
        try await withStandInTenant { tenant in
            let reads = Reads()
            let trust = try TrustStore(nil, load: reads.load)
            let settings = TenantSettings(
                origin: tenant.baseURL,
                clientID: tenant.clientID,
                timeout: .seconds(60),
                userAgent: "tokencached/test"
            )
            let client = try TenantClient(settings, on: MultiThreadedEventLoopGroup.singleton, trust: trust)
            defer { client.shutdown() }
            #expect(await client.mint(secret: tenant.clientSecret).isMinted)
            #expect(reads.number == 0)
        }
    }

    /// Runs something with a tenant that has TLS, the settings for it, and the file of its authority.
    private func withSecureTenant(_ body: (StandInTenant, TenantSettings, String) async throws -> Void) async throws {
        var configuration = StandInTenant.Configuration()
        configuration.tls = .valid
        let directory = try TemporaryDirectory()
        try await withStandInTenant(configuration) { tenant in
            let settings = TenantSettings(
                origin: tenant.baseURL,
                clientID: tenant.clientID,
                timeout: .seconds(60),
                userAgent: "tokencached/test"
            )
            try await body(tenant, settings, directory.write(tenant.certificateAuthorityPEM, to: "ca.pem"))
        }
        withExtendedLifetime(directory) {}
    }
}
