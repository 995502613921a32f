import NIOPosix
import Secrets
import Synchronization
import Tenant
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
    /// Asks for a token of somebody.
    func mint(_ subject: String = "ann", secret: String = "secret") async -> MintOutcome {
        guard let scopes = ScopeSet("user_default") else { return .malformed("no scopes") }
        return await mint(
            UserLookup(field: .subject, value: subject),
            scopes: scopes,
            as: .secret(ClientSecret(secret))
        )
    }
}

extension TenantClient {
    /// Makes a connection, which is kept, even if the machine is too busy for the client's time-out.
    func warm(secret: String = "secret") async throws {
        for _ in 0..<60 where await mint(secret: secret).isMinted { return }
        throw CancellationError()
    }
}

extension MintOutcome {
    var isMinted: Bool { if case .minted = self { true } else { false } }
    /// Why there was no answer.
    var code: String? { if case .unavailable(let fault) = self { fault.code } else { nil } }
    /// The sentence for callers.
    var reason: String? {
        switch self {
        case .unavailable(let fault): fault.reason
        case .malformed(let reason), .rejected(let reason): reason
        case .minted, .noMemory, .denied, .throttled: nil
        }
    }
}
