import AsyncHTTPClient
import Logging
package import NIOCore
import NIOHTTP1
import NIOSSL
package import Secrets
package import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Makes calls to one tenant and names what came of each.
///
/// One call is one request on the wire: no redirect is followed, nothing is retried, no proxy of the environment is used.
/// Call ``shutdown()`` when it is no longer needed.
package struct TenantClient: Sendable {
    /// A reply is a token of a few kilobytes; what is larger is none.
    static let largestReply = 65_536
    /// Connections are closed after being idle for less than servers commonly keep them, so that a call seldom meets one
    /// that the other side is closing: that call would fail, and nothing here repeats it.
    private static let idleTimeout = TimeAmount.seconds(30)

    /// As many as `max_concurrent` can be.
    private static let mostConnections = 1_000

    /// How the tenant is called.
    package let settings: TenantSettings
    private let memory: SecretMemory?
    private let client: HTTPClient

    /// A client on an event loop group of somebody else's.
    ///
    /// - Parameter memory: What tokens' memory is taken from; nil: the heap.
    /// - Throws: Where the file of certificate authorities can't be read.
    package init(_ settings: TenantSettings, on group: any EventLoopGroup, memory: SecretMemory? = nil) throws {
        self.memory = memory
        self.settings = settings
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.proxy = nil
        configuration.httpVersion = .http1Only
        configuration.connectionPool.idleTimeout = Self.idleTimeout
        configuration.connectionPool.retryConnectionEstablishment = false
        // How many calls go at once is decided where they are ordered: here none may wait for a connection.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.mostConnections
        configuration.timeout.connect = TimeAmount(settings.connectTimeout)
        configuration.tlsConfiguration = try Self.tls(settings.caFile)
        configuration.http1_1ConnectionDebugInitializer = ReplyWiper.add
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    /// Asks for a token.
    ///
    /// Its life counts from the moment before this call.
    package func mint(_ user: UserLookup, scopes: ScopeSet, as credential: ClientCredential) async -> MintOutcome {
        let client: GrantRequest.Client
        do {
            client = try prove(credential)
        } catch {
            return .unavailable(Unavailability("the client's key can't sign"))
        }
        var body = GrantRequest.mint(user, scopes: scopes, as: client)
        defer { body.wipe() }
        switch await call(Self.tokenPath, body) {
        case .failed(let reason): return .unavailable(Unavailability(reason))
        case .tooLarge: return .malformed("the tenant's answer is larger than \(Self.largestReply) bytes")
        case .answered(let reply, var bytes):
            defer { bytes.wipe() }
            return unsafe bytes.withUnsafeReadableBytes { unsafe reply.outcome(Span(_unsafeBytes: $0)) }
        }
    }

    private static let tokenPath = "/oauth/token"

    private func prove(_ credential: ClientCredential) throws -> GrantRequest.Client {
        switch credential {
        case .secret(let secret): return .secret(settings.clientID, secret)
        case .key(let key):
            let audience = settings.origin + Self.tokenPath
            return .assertion(
                try ClientAssertion.sign(key, clientID: settings.clientID, audience: audience, now: Date())
            )
        }
    }

    /// Has a token revoked.
    package func revoke(_ token: AccessToken) async -> RevocationOutcome {
        var body = GrantRequest.revoke(token)
        defer { body.wipe() }
        switch await call("/oauth/revoke", body) {
        case .failed(let reason): return .failed(.unavailable(Unavailability(reason)))
        case .tooLarge: return .failed(.malformed("the tenant's answer is larger than \(Self.largestReply) bytes"))
        case .answered(let reply, let bytes):
            return unsafe bytes.withUnsafeReadableBytes { unsafe reply.revocationOutcome(Span(_unsafeBytes: $0)) }
        }
    }

    /// Closes the connections.
    package func shutdown() async throws { try await client.shutdown() }

    // MARK: One call

    private enum CallOutcome {
        case answered(GrantReply, ByteBuffer)
        case tooLarge
        case failed(String)
    }

    private func call(_ path: String, _ body: ByteBuffer) async -> CallOutcome {
        var request = HTTPClientRequest(url: settings.origin + path)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: settings.userAgent)
        request.body = .bytes(body)
        let complete = request
        do {
            return try await withDeadline(settings.timeout) { try await exchange(complete) }
        } catch let error as HTTPParserError where error == .headerOverflow {
            return .tooLarge
        } catch {
            return .failed(CallFault.sentence(error, timeout: settings.timeout))
        }
    }

    private func exchange(_ request: HTTPClientRequest) async throws -> CallOutcome {
        let response = try await client.execute(request, deadline: .distantFuture)
        let reply = GrantReply(
            status: Int(response.status.code),
            headers: response.headers,
            wall: Date().timeIntervalSince1970,
            memory: memory
        )
        do {
            return .answered(reply, try await response.body.collect(upTo: Self.largestReply))
        } catch is NIOTooManyBytesError {
            return .tooLarge
        }
    }

    /// Bounds a whole call: the HTTP client's own deadline ends with the head, and a body can come for ever.
    private func withDeadline(
        _ timeout: Duration,
        _ call: @escaping @Sendable () async throws -> CallOutcome
    ) async throws -> CallOutcome {
        try await withThrowingTaskGroup(of: CallOutcome.self) { group in
            group.addTask { try await call() }
            group.addTask {
                try await Task.sleep(for: timeout, clock: .continuous)
                throw HTTPClientError.deadlineExceeded
            }
            defer { group.cancelAll() }
            guard let outcome = try await group.next() else { throw CancellationError() }
            return outcome
        }
    }

    private static func tls(_ caFile: String?) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let caFile {
            configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(caFile))]
        }
        return configuration
    }
}
