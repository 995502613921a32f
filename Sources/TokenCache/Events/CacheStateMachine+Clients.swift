import TokenProtocol

/// The tenants' further clients, whose own tokens are cached like users' tokens.
extension CacheStateMachine {
    /// Returns the configured client whose own tokens a key is for, or nil if there is none.
    func client(of key: UserKey) -> ClientPolicy? {
        guard key.isClient else { return nil }
        return tenants[key.tenant]?.governor.limits.clients.client(named: key.user.value)
    }

    /// Returns the key of a client's own token that a request without scopes is for, or nil if there is no such client.
    func clientKey(_ name: String, of tenant: TenantID) -> TokenKey? {
        let user = UserKey(tenant: tenant, client: name)
        return client(of: user).map { TokenKey(user: user, scopes: $0.ownScopes) }
    }

    /// Returns the host and the client that a key's tokens belong to, or nil if they are no longer configured.
    func identity(of key: UserKey) -> TenantPolicy.Identity? {
        guard var identity = tenants[key.tenant]?.identity else { return nil }
        guard key.isClient else { return identity }
        guard let client = client(of: key) else { return nil }
        identity.clientID = client.clientID
        return identity
    }

    // MARK: Reloads

    /// Drops the tokens of the clients that a configuration no longer has, or has with another id.
    mutating func retireClients(
        of tenant: TenantID,
        _ old: [String: ClientPolicy],
        _ new: [String: ClientPolicy],
        now: Instant
    ) {
        for (name, client) in old.sorted(by: { $0.key < $1.key }) where new[name]?.clientID != client.clientID {
            let error: ErrorReply = new[name] == nil ? .clientRemoved : .tenantChanged
            retireClient(UserKey(tenant: tenant, client: name), error, now: now)
        }
    }

    /// Drops the tokens of a client, and ends its mints.
    ///
    /// A token that is under way is neither cached nor served, as it belongs to a client that is no longer configured.
    private mutating func retireClient(_ client: UserKey, _ error: ErrorReply, now: Instant) {
        endMints(of: client, scopes: nil, as: .superseded, .retired(error), error, now: now)
        statistics.evictions.flushed += drop(client, scopes: nil).count
        negatives.forget(client, scopes: nil)
        forgetRefusal(of: client, now: now)
    }

    // MARK: Refusals

    /// Records what the end of a mint shows about a further client.
    ///
    /// Without its current generation the mint may have been made with another id or by an older configuration, and
    /// shows nothing.
    mutating func noteClient(_ key: TokenKey, _ fate: Mint.Fate, _ failure: CallFailure?, now: Instant) {
        guard fate == .current else { return }
        guard let failure else { return forgetRefusal(of: key.user, now: now) }
        // A denial with an old secret shows nothing about the client with the new one.
        guard case .denied(let upstream, secretChanged: false) = failure, isRefusal(upstream, of: key),
            let name = key.user.clientName
        else { return }
        tenants[key.user.tenant]?.furtherClients.refused(name, upstream, now: now)
        tenants[key.user.tenant]?.incidents.noteRefusal(of: name, upstream, now: now)
    }

    /// True if a denial is about the client and not about the scopes that an app has chosen.
    private func isRefusal(_ upstream: ErrorReply.Upstream, of key: TokenKey) -> Bool {
        upstream.status == 401 || client(of: key.user)?.ownScopes == key.scopes
    }

    private mutating func forgetRefusal(of client: UserKey, now: Instant) {
        guard let name = client.clientName, tenants[client.tenant]?.furtherClients.forget(name) == true else { return }
        tenants[client.tenant]?.incidents.noteAcceptance(of: name, now: now)
    }

    /// Handles a change of a further client's secret.
    mutating func furtherSecretChanged(of client: UserKey, now: Instant) {
        negatives.forgetUnauthorized(client)
        forgetRefusal(of: client, now: now)
        guard let name = client.clientName, tenants[client.tenant]?.apiClients.forget(name) == true else { return }
        tenants[client.tenant]?.incidents.noteAcceptance(of: name, now: now)
    }
}
