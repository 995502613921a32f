// Purpose: the daemon's tests, demo and benchmarks need a tenant that can be made to fail in every way in
// which the real one, or a proxy in front of it, can fail.
//
// Promises: it speaks the tenant's side of the contract over real HTTP and HTTPS, on 127.0.0.1 only. It plays
// every case of ``BehaviourTable``, as the subject or a test asks. It checks every request against the contract and
// counts what it receives. Several run side by side and share nothing. `stop()` ends it in any state. It shares no code
// with the daemon, so that one fault can't hide in both.
//
// `Behaviours` has the replies that can be played and their names, `Contract` the rules and the decisions, `Clients` the
// OAuth clients, `Tokens` the tokens, `Users` the users and their groups, `API` the operations on them, `Wire` the bytes,
// `Control` the control requests, `Testing` the interface for tests.

import FoundationEssentials
import NIOCore
import NIOPosix
import NIOSSL

/// A tenant on loopback, played for tests.
///
/// It is an actor on its event loop, so the order of what connections receive and what tests ask is certain. The
/// decisions are those of ``TenantMachine``.
package actor StandInTenant {
    /// The address, in the form of the daemon's configuration: scheme and authority, no path.
    package nonisolated let baseURL: String
    package nonisolated let port: Int
    /// The address of the server to which the redirects `-other` lead.
    package nonisolated let otherOriginURL: String
    /// The certificate that a client has to trust, as PEM.
    package nonisolated let certificateAuthorityPEM: String
    package nonisolated let clientID: String
    /// The first of the secrets that were accepted at the start.
    package nonisolated let clientSecret: String

    nonisolated let loop: any EventLoop
    let tls: TransportSecurity
    let authority: CertificateAuthority
    var machine: TenantMachine
    var waits: [Int: Wait] = [:]
    var lastWait = 0
    var server: NIOSSLContext?
    var reservations: [Origin: PortReservation]
    var listeners: [Origin: any Channel] = [:]
    var connections: [ObjectIdentifier: any Channel] = [:]
    var reopening: Scheduled<Void>?
    var isStopped = false
    var usedConnections = UsedConnections.kept
    /// The continuations of the calls whose replies are held.
    var heldCalls: [Int: @Sendable ([ReplyStep]) -> Void] = [:]

    /// The loop's executor, computed because an unowned reference must not outlive its origin.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

    /// Starts a stand-in, which listens when this returns.
    package static func start(_ configuration: Configuration = Configuration()) async throws -> StandInTenant {
        let tenant = try StandInTenant(configuration)
        do {
            try await tenant.open(.tenant).get()
            try await tenant.open(.other).get()
        } catch {
            try? await tenant.stop()
            throw error
        }
        return tenant
    }

    private init(_ configuration: Configuration) throws {
        let tenantPort = try PortReservation(configuration.port)
        let otherPort = try PortReservation(0)
        let scheme = configuration.tls == .none ? "http" : "https"
        loop = MultiThreadedEventLoopGroup.singleton.next()
        tls = configuration.tls
        authority = try CertificateAuthority()
        server = try authority.serverContext(configuration.tls)
        reservations = [.tenant: tenantPort, .other: otherPort]
        port = tenantPort.port
        baseURL = "\(scheme)://127.0.0.1:\(tenantPort.port)"
        otherOriginURL = "\(scheme)://127.0.0.1:\(otherPort.port)"
        certificateAuthorityPEM = authority.pem
        clientID = configuration.clientID
        clientSecret = configuration.clientSecrets.first ?? ""
        machine = try TenantMachine(configuration, baseURL: baseURL, otherOriginURL: otherOriginURL, at: .now)
    }
}

/// Runs a stand-in for a test, and stops it however the test ends.
package func withStandInTenant<Result>(
    _ configuration: StandInTenant.Configuration = StandInTenant.Configuration(),
    _ body: (StandInTenant) async throws -> Result
) async throws -> Result {
    let tenant = try await StandInTenant.start(configuration)
    do {
        let result = try await body(tenant)
        try await tenant.stop()
        return result
    } catch {
        try? await tenant.stop()
        throw error
    }
}
