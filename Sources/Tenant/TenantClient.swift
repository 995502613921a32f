package import NIOCore
import NIOHTTP1
package import Secrets
package import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Makes calls to one tenant and names what came of each.
///
/// One call is one request on the wire: no redirect is followed, no proxy but a configured one is used, and nothing is tried
/// again but what can't have been answered: a connection that was kept and is found broken before a byte of an answer came.
/// Call ``shutdown()`` when it is no longer needed.
package struct TenantClient: Sendable {
    /// How the tenant is called.
    package let settings: TenantSettings
    private let memory: SecretMemory?
    private let connector: Connector
    private let trust: TrustStore
    private let pool = ConnectionPool()
    private let now: @Sendable () -> ContinuousClock.Instant

    /// The reason for which there can be no client.
    package enum SettingsFault: Error {
        /// The origin is none.
        case origin
        /// Behind a proxy a certificate can be checked for a name only.
        case addressBehindProxy
    }

    /// A client on an event loop group of somebody else's.
    ///
    /// - Parameters:
    ///   - memory: What tokens' memory is taken from; nil: the heap.
    ///   - now: The clock by which connections grow old.
    /// - Throws: Where the file of certificate authorities can't be read.
    package init(
        _ settings: TenantSettings,
        on group: any EventLoopGroup,
        memory: SecretMemory? = nil,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws {
        guard let tenant = Endpoint(origin: settings.origin) else { throw SettingsFault.origin }
        if settings.proxy != nil, tenant.isSecure, tenant.isAddress { throw SettingsFault.addressBehindProxy }
        self.memory = memory
        self.settings = settings
        self.now = now
        trust = try TrustStore(settings.caFile)
        connector = Connector(tenant: tenant, proxy: settings.proxy, group: group)
    }

    /// Whether a file holds certificate authorities that can be trusted.
    package static func canTrust(_ caFile: String) -> Bool { (try? TrustStore(caFile)) != nil }

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
        case .failed(let fault): return .unavailable(unavailability(fault))
        case .malformed(let reason): return .malformed(reason)
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
        case .failed(let fault): return .failed(.unavailable(unavailability(fault)))
        case .malformed(let reason): return .failed(.malformed(reason))
        case .answered(let reply, let bytes):
            return unsafe bytes.withUnsafeReadableBytes { unsafe reply.revocationOutcome(Span(_unsafeBytes: $0)) }
        }
    }

    private func unavailability(_ fault: CallFault) -> Unavailability {
        Unavailability(fault.sentence, code: fault.code)
    }

    /// Closes the connections; a call under way ends.
    package func shutdown() { pool.shutdown() }

    // MARK: One call

    private enum CallOutcome {
        case answered(GrantReply, ByteBuffer)
        case malformed(String)
        case failed(CallFault)
    }

    private func call(_ path: String, _ body: ByteBuffer) async -> CallOutcome {
        do {
            let deadline = ContinuousClock.now + settings.timeout
            let progress = CallProgress()
            let answer = try await withDeadline(deadline, progress) {
                try await exchange(path, body, until: deadline, progress)
            }
            let reply = GrantReply(
                status: answer.status,
                headers: answer.headers,
                wall: Date().timeIntervalSince1970,
                memory: memory
            )
            return .answered(reply, answer.body)
        } catch {
            return outcome(of: error)
        }
    }

    private func outcome(of error: any Error) -> CallOutcome {
        switch error {
        case let failure as CallFailure:
            switch failure.fault {
            case .none(let fault): return .failed(fault)
            case .tooLarge: return .malformed("the tenant's answer is larger than \(CallHandler.largestReply) bytes")
            case .notDecompressed: return .malformed("the tenant's answer is compressed, and can't be decompressed")
            }
        case let fault as CallFault: return .failed(fault)
        default: return .failed(.answering(error))
        }
    }

    /// Makes the call on a connection that is there, or on a new one.
    ///
    /// A kept connection may be gone without anybody having noticed, and its fault is nobody's: the call goes once more.
    private func exchange(
        _ path: String,
        _ body: ByteBuffer,
        until deadline: ContinuousClock.Instant,
        _ progress: CallProgress
    ) async throws -> Answer {
        let head = head(path, length: body.readableBytes)
        if let kept = pool.take(now: now()) {
            kept.limitSilence(to: settings.timeout / 3)
            do {
                progress.begins(.answerTimeout)
                return try await call(head, body, on: kept)
            } catch {
                guard error.isUnanswered, !Task.isCancelled else { throw error }
            }
        }
        let connection = try await connect(until: deadline, progress)
        progress.begins(.answerTimeout)
        return try await call(head, body, on: connection)
    }

    private func call(
        _ head: HTTPRequestHead,
        _ body: ByteBuffer,
        on connection: TenantConnection
    ) async throws(CallFailure) -> Answer {
        do {
            let answer = try await connection.call(head, body)
            pool.put(connection, now: now())
            return answer
        } catch {
            if case .none = error.fault { pool.distrust() }
            throw error
        }
    }

    private func connect(
        until deadline: ContinuousClock.Instant,
        _ progress: CallProgress
    ) async throws -> TenantConnection {
        let (generation, opened) = (pool.generation, now())
        do {
            let channel = try await secureChannel(until: deadline, progress)
            let connection = try await TenantConnection.open(channel, opened: opened, generation: generation)
            guard pool.add(connection) else { throw CallFault(.shutDown) }
            return connection
        } catch {
            pool.distrust()
            throw error
        }
    }

    /// Connects; where no authority is known for the tenant's certificate, once more with those that are trusted by now.
    private func secureChannel(
        until deadline: ContinuousClock.Instant,
        _ progress: CallProgress
    ) async throws -> any Channel {
        // Something is left for the answer.
        func time() -> Duration { min(settings.connectTimeout, (deadline - .now) * 3 / 4) }
        let context = trust.context
        do {
            return try await connector.connect(context, within: time(), progress)
        } catch let fault as CallFault where fault.isOfTrust && trust.isRenewed(after: context, now: now()) {
            return try await connector.connect(trust.context, within: time(), progress)
        }
    }

    private func head(_ path: String, length: Int) -> HTTPRequestHead {
        HTTPRequestHead(
            version: .http1_1,
            method: .POST,
            uri: path,
            headers: [
                "host": connector.tenant.authority,
                "content-type": "application/json",
                "content-length": "\(length)",
                "accept": "application/json",
                "accept-encoding": "identity",
                "user-agent": settings.userAgent,
            ]
        )
    }

    /// Bounds a whole call, on a clock that goes on while the machine sleeps.
    private func withDeadline(
        _ deadline: ContinuousClock.Instant,
        _ progress: CallProgress,
        _ call: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            group.addTask { try await call() }
            group.addTask {
                try await Task.sleep(until: deadline, clock: .continuous)
                throw progress.timeout
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw CancellationError() }
            return answer
        }
    }
}
