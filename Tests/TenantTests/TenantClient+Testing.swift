import NIOPosix
import Secrets
import Synchronization
import Tenant
import TokenCache
import TokenProtocol

/// A clock that a test sets.
final class SetClock: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { instant.withLock { $0 } }

    func advance(_ time: Duration) { instant.withLock { $0 += time } }
}

/// Runs something with a client of a tenant.
func withClient<Result>(
    of origin: String,
    clock: SetClock = SetClock(),
    _ change: (inout TenantSettings) -> Void = { _ in },
    _ body: (TenantClient) async throws -> Result
) async throws -> Result {
    var settings = TenantSettings(
        origin: origin,
        clientID: "client",
        timeout: .seconds(60),
        userAgent: "tokencached/test"
    )
    change(&settings)
    let client = try TenantClient(settings, on: MultiThreadedEventLoopGroup.singleton, now: { clock.now })
    defer { client.shutdown() }
    return try await body(client)
}

extension TenantClient {
    /// Requests a token of a subject.
    func mint(_ subject: String = "ann", secret: String = "secret") async -> MintOutcome {
        guard let scopes = ScopeSet("user_default") else { return .failed(.malformed("no scopes")) }
        return await mint(
            UserLookup(field: .subject, value: subject),
            scopes: scopes,
            as: .secret(ClientSecret(secret))
        )
    }

    /// Opens a connection, which is kept, even if the machine is too busy for the client's time-out.
    func warm(secret: String = "secret") async throws {
        for _ in 0..<60 where await mint(secret: secret).isMinted { return }
        throw CancellationError()
    }
}

extension MintOutcome {
    var isMinted: Bool { if case .minted = self { true } else { false } }

    /// The failure, if it is one.
    var failure: CallFailure? { if case .failed(let failure) = self { failure } else { nil } }

    /// The tenant's own words, if it denied the call.
    var upstream: ErrorReply.Upstream? {
        if case .failed(.denied(let upstream, _)) = self { upstream } else { nil }
    }

    /// The code of the reason for which there was no answer.
    var code: String? { if case .failed(.unavailable(_, let code, _)) = self { code } else { nil } }

    /// The sentence for callers.
    var reason: String? {
        switch failure {
        case .unavailable(let reason, _, _), .malformed(let reason), .rejected(let reason): reason
        case .noMemory, .denied, .throttled, nil: nil
        }
    }
}
