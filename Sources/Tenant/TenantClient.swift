package import NIOCore
package import Secrets
package import TokenCache
package import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Makes calls to one tenant and returns their outcomes.
///
/// One call is one request on the wire. No redirect is followed, and no proxy but a configured one is used. A request
/// is sent again only where it can't have been answered: on a kept connection that turns out to be broken before a byte
/// of the reply has arrived. Call ``shutdown()`` when the client is no longer needed.
package struct TenantClient: Sendable {
    /// The settings of its calls.
    package let settings: TenantSettings
    private let memory: SecretMemory?
    private let tenant: Endpoint
    private let http: TenantHTTPClient

    /// The reason why a client can't be created.
    package enum SettingsFault: Error {
        /// The origin is malformed.
        case origin
        /// Behind a proxy, a certificate can be checked only for a name, and the origin has an address.
        case addressBehindProxy
    }

    /// Creates a client on an event loop group that belongs to the caller.
    ///
    /// - Parameters:
    ///   - trust: The authorities, which clients of the same file share, or nil to read the file.
    ///   - memory: The memory for tokens, or nil for the heap.
    ///   - now: The clock that connections' ages are measured on.
    /// - Throws: ``SettingsFault``, or an error where the file of certificate authorities can't be read.
    package init(
        _ settings: TenantSettings,
        on group: any EventLoopGroup,
        trust: TrustStore? = nil,
        memory: SecretMemory? = nil,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws {
        guard let tenant = Endpoint(origin: settings.origin) else { throw SettingsFault.origin }
        if settings.proxy != nil, tenant.isSecure, tenant.isAddress { throw SettingsFault.addressBehindProxy }
        self.memory = memory
        self.settings = settings
        self.tenant = tenant
        let connector = Connector(tenant: tenant, proxy: settings.proxy, group: group)
        http = TenantHTTPClient(connector, trust: try trust ?? TrustStore(settings.caFile), settings, now: now)
    }

    /// True if its connections are secured by TLS.
    package var usesTLS: Bool { tenant.isSecure }

    /// Returns true if a file holds certificate authorities that can be trusted.
    package static func canTrust(_ caFile: String) -> Bool { (try? TrustStore(caFile)) != nil }

    /// Requests a token, whose lifetime counts from the moment before this call.
    ///
    /// - Parameters:
    ///   - user: The user, or the client for its own token.
    ///   - clientID: The client that asks, or nil for that of the settings.
    package func mint(
        _ user: UserLookup,
        scopes: ScopeSet,
        as credential: ClientCredential,
        of clientID: String? = nil,
        in trace: TraceContext? = nil
    ) async -> MintOutcome {
        let client: GrantRequest.Client
        do {
            client = try prove(credential, of: clientID ?? settings.clientID)
        } catch {
            return .failed(.unavailable("the client's key can't sign"))
        }
        var body = GrantRequest.mint(user, scopes: scopes, as: client)
        defer { body.wipe() }
        let request = TenantRequest.grant(body, to: Self.tokenPath)
        switch await call(request, HiddenTexts(secret: client.proof), in: trace) {
        case .failed(let failure): return .failed(failure)
        case .answered(let reply, var bytes):
            defer { bytes.wipe() }
            let reply = GrantReply(reply: reply, memory: memory)
            return unsafe bytes.withUnsafeReadableBytes { unsafe reply.outcome(Span(_unsafeBytes: $0)) }
        }
    }

    private static let tokenPath = "/oauth/token"

    private func prove(_ credential: ClientCredential, of clientID: String) throws -> GrantRequest.Client {
        switch credential {
        case .secret(let secret): return .secret(clientID, secret)
        case .key(let key):
            let audience = settings.origin + Self.tokenPath
            return .assertion(try ClientAssertion.sign(key, clientID: clientID, audience: audience, now: Date()))
        }
    }

    /// Asks the tenant to revoke a token.
    package func revoke(_ token: AccessToken, in trace: TraceContext? = nil) async -> RevocationOutcome {
        var body = GrantRequest.revoke(token)
        defer { body.wipe() }
        let request = TenantRequest.grant(body, to: "/oauth/revoke")
        switch await call(request, HiddenTexts(secret: token.bytes), in: trace) {
        case .failed(let failure): return .failed(failure)
        case .answered(let reply, let bytes):
            let reply = GrantReply(reply: reply, memory: nil)
            return unsafe bytes.withUnsafeReadableBytes { unsafe reply.revocationOutcome(Span(_unsafeBytes: $0)) }
        }
    }

    /// Makes a call of the tenant's API with a client's own token.
    package func call(_ call: APICall, bearer: AccessToken, in trace: TraceContext? = nil) async -> APIOutcome {
        var request = APIRequest.make(call, bearer: bearer)
        defer { request.body?.wipe() }
        let hidden = HiddenTexts(secret: bearer.bytes, personal: call.personalTexts)
        switch await self.call(request, hidden, in: trace) {
        case .failed(let failure): return .failed(failure)
        case .answered(let reply, var bytes):
            defer { bytes.wipe() }
            let reply = APIReply(reply: reply, tenant: tenant)
            return unsafe bytes.withUnsafeReadableBytes { unsafe reply.outcome(of: call, Span(_unsafeBytes: $0)) }
        }
    }

    /// Closes the connections, which ends a call that is under way.
    package func shutdown() { http.shutdown() }

    // MARK: One call

    private enum CallOutcome {
        case answered(TenantReply, ByteBuffer)
        case failed(CallFailure)
    }

    private func call(
        _ request: TenantRequest,
        _ hidden: HiddenTexts,
        in trace: TraceContext?
    ) async -> CallOutcome {
        do {
            let answer = try await http.send(request, in: trace)
            let reply = TenantReply(
                status: answer.status,
                headers: answer.headers,
                wall: Date().timeIntervalSince1970,
                hidden: hidden
            )
            return .answered(reply, answer.body)
        } catch {
            return .failed(Self.failure(error))
        }
    }

    private static func failure(_ error: any Error) -> CallFailure {
        switch error {
        case let error as AnswerError:
            switch error.reason {
            case .incomplete(let fault): unavailable(fault)
            case .tooLarge(let limit): .malformed("the tenant's answer is larger than \(limit) bytes")
            case .notDecompressed: .malformed("the tenant's answer is compressed, and can't be decompressed")
            }
        case let fault as CallFault: unavailable(fault)
        default: unavailable(.answering(error))
        }
    }

    private static func unavailable(_ fault: CallFault) -> CallFailure {
        .unavailable(fault.sentence, code: fault.code)
    }
}

extension APICall {
    /// The name and the e-mail address that the call contains.
    fileprivate var personalTexts: [String] {
        guard case .createUser(let user) = self else { return [] }
        return [user.name, user.email].compactMap(\.self)
    }
}
