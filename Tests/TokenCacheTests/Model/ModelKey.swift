import TokenProtocol

@testable import TokenCache

/// A key in the model.
final class ModelKey {
    let key: TokenKey
    unowned let tenant: ModelTenant
    /// A number that is raised whenever older tokens become void.
    var generation = 0
    var entry: ModelEntry?
    var negative: ModelNegative?
    /// The mint of the current generation that is queued or under way.
    var current: ModelCall?

    init(_ key: TokenKey, _ tenant: ModelTenant) {
        self.key = key
        self.tenant = tenant
    }

    /// The time at which its denials are forgotten.
    var forgetAt: Instant { negative?.forgetAt ?? ModelRun.start }

    /// Returns the error for a request that needs a mint, or nil if it may go on.
    func negativeError(at now: Instant) -> ModelError? { negative?.error(at: now) }

    /// The configured client whose own tokens it is for, or nil for a user's or if there is none.
    var client: ClientPolicy? { key.user.clientName.flatMap { tenant.limits.clients[$0] } }

    /// The host and the client that its tokens belong to, or nil if the client isn't configured.
    var identity: TenantPolicy.Identity? {
        let (host, own) = (tenant.limits.identity.host, tenant.limits.identity.clientID)
        guard key.user.isClient else { return .init(host: host, clientID: own) }
        return client.map { .init(host: host, clientID: $0.clientID) }
    }

    /// True if its tokens may be minted: they are a user's, or the client is configured.
    var isConfigured: Bool { !key.user.isClient || client != nil }

    /// True if it belongs to a user, and has these scopes if any are named.
    func belongs(to user: UserKey, _ scopes: ScopeSet?) -> Bool {
        key.user == user && scopes ?? key.scopes == key.scopes
    }
}

extension ModelKey: CustomStringConvertible {
    var description: String {
        "\(tenant.id.name).\(tenant.id.number)/\(String(decoding: key.user.user.value, as: UTF8.self))/\(key.scopes.text)"
    }
}
