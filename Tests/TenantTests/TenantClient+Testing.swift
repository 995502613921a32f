import NIOPosix
import Secrets
import Tenant
import TokenCache
import TokenProtocol

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
