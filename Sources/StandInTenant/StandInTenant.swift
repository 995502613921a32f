// Why this module exists: the daemon's tests, demo and benchmarks need a tenant that can be made to fail in every way in
// which the real one, or whatever stands before it, can fail.
//
// What it promises: it speaks the tenant's side of the contract over real HTTP and HTTPS, on loopback and nowhere else;
// it plays every case of ``BehaviourTable``, by the subject's beginning or because a test said so; it holds every request
// against the contract, and counts what it sees; several run side by side and share nothing; `stop()` ends it whatever
// it is at. It shares no code with the daemon, so that one fault can't hide in both.

import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A tenant on loopback, played for tests.
///
/// It is an actor on its event loop, so what a connection sees and what a test asks are always in order. Its decisions
/// are those of ``TenantMachine``.
package actor StandInTenant {
    /// Where it is, as the daemon's configuration has it: scheme and authority, no path.
    package nonisolated let baseURL: String
    /// The port.
    package nonisolated let port: Int
    /// The server to which the redirects `-other` lead, likewise.
    package nonisolated let otherOriginURL: String
    /// The certificate that a client has to trust, as PEM; it is there for plain HTTP too.
    package nonisolated let certificateAuthorityPEM: String
    /// The client's id.
    package nonisolated let clientID: String
    /// The first of the secrets that were accepted at the start.
    package nonisolated let clientSecret: String

    nonisolated let loop: any EventLoop
    let host: LoopbackHost
    let tls: TransportSecurity
    let authority: CertificateAuthority
    let started = ContinuousClock.now
    var machine: TenantMachine
    var waits = WaitList()
    var server: NIOSSLContext?
    var reservations: [Origin: PortReservation]
    var listeners: [Origin: any Channel] = [:]
    var connections: [ObjectIdentifier: any Channel] = [:]
    var reopening: Scheduled<Void>?
    var isStopped = false
    /// The fate of a connection when another request comes on it.
    var usedConnections = UsedConnections.kept
    /// How to go on with the calls that wait at the gate.
    var heldCalls: [CallNumber: @Sendable (ReplyScript) -> Void] = [:]

    /// The loop's executor; computed, as an unowned reference must not outlive what it was made from.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

    /// Starts one; it listens when this returns.
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
        let group = configuration.eventLoopGroup ?? MultiThreadedEventLoopGroup.singleton
        let host = try LoopbackHost(configuration.host)
        let tenantPort = try PortReservation(host, port: configuration.port)
        let otherPort = try PortReservation(host, port: 0)
        let scheme = configuration.tls == .none ? "http" : "https"
        loop = group.next()
        self.host = host
        tls = configuration.tls
        authority = try CertificateAuthority()
        server = try authority.serverContext(configuration.tls, for: host)
        reservations = [.tenant: tenantPort, .other: otherPort]
        port = tenantPort.port
        baseURL = "\(scheme)://\(host.inURL):\(tenantPort.port)"
        otherOriginURL = "\(scheme)://\(host.inURL):\(otherPort.port)"
        certificateAuthorityPEM = try authority.pem()
        clientID = configuration.clientID
        clientSecret = configuration.clientSecrets.first ?? ""
        let destinations = ReplyComposer.Destinations(same: baseURL, other: otherOriginURL)
        machine = try TenantMachine(configuration, destinations: destinations, at: .now)
    }
}

/// Runs a stand-in for as long as a test needs it, and stops it whatever the test does.
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
