import FoundationEssentials

extension StandInTenant {
    /// The counters.
    package var counters: Counters { machine.counters }

    /// The requests in the order of arrival, without the oldest in long runs.
    package var requests: [SeenRequest] { machine.log.requests }

    /// The rules of the contract that were broken, one sentence each, none by a correct client.
    package var violations: [String] { machine.log.violations }

    /// The key that verifies the tokens' signatures, as PEM.
    package var tokenKeyPEM: String { machine.minter.publicKeyPEM }

    /// Returns the number of calls that named a user, denied and failed ones included, for one scope or, if nil, for all.
    package func callCount(field: LookupField = .subject, value: String, scope: String? = nil) -> Int {
        sum(counters.callsByKey, field, value, scope)
    }

    /// Returns the number of tokens issued for a user, for one scope or, if nil, for all.
    package func mintCount(field: LookupField = .subject, value: String, scope: String? = nil) -> Int {
        sum(counters.mintsByKey, field, value, scope)
    }

    private func sum(_ counts: [MintKey: Int], _ field: LookupField, _ value: String, _ scope: String?) -> Int {
        counts.filter { key, _ in key.field == field && key.value == value && (scope == nil || key.scope == scope) }
            .values.reduce(0, +)
    }

    /// Forgets what was counted, and begins every script anew.
    package func resetCounters() {
        machine.log.reset()
        machine.scripts.restart()
    }

    /// Returns true if a token was issued here, hasn't expired and isn't revoked.
    package func isLive(_ token: String) -> Bool { machine.tokens.isLive(token, at: .now) }

    /// Revokes a token from the tenant's side, and returns true if it was live.
    @discardableResult
    package func revoke(_ token: String) -> Bool { machine.tokens.revoke(token, at: .now) }

    /// Holds all further replies but those to control requests, or the replies for one subject or user id.
    package func holdReplies(forValue value: String? = nil) { machine.held.hold(forValue: value) }

    /// Sends all replies that are held, and holds no further ones.
    package func releaseReplies() { release(machine.held.release(nil)) }

    /// Sends the oldest replies that are held, and goes on holding further ones.
    package func releaseReplies(count: Int) { release(machine.held.release(count)) }
}

extension StandInTenant {
    /// Sets the script for every subject that doesn't name another one, in the grammar of ``BehaviourTable``.
    package func setBehaviour(_ script: String) throws {
        machine.scripts.setUsual(try BehaviourTable.script(script))
    }

    /// Sets the script of one subject or user id.
    package func setBehaviour(_ script: String, forValue value: String) throws {
        machine.scripts.set(try BehaviourTable.script(script), forValue: value)
    }

    /// Sets the script for the next calls, as many as it is long.
    package func setScript(_ script: String) throws {
        machine.scripts.setNextCalls(try BehaviourTable.script(script))
    }

    /// Sets the script of the revocation endpoint, in which `ok` revokes.
    package func setRevocationBehaviour(_ script: String) throws {
        machine.scripts.setRevocation(try BehaviourTable.script(script))
    }

    /// Sets the wait before each reply.
    package func setLatency(_ latency: Duration) { machine.latency = latency }

    /// Sets the lifetime of the tokens of the usual reply, in whole seconds.
    package func setLifetime(_ lifetime: Duration) { machine.lifetime = Int(lifetime / .seconds(1)) }

    /// Sets the secrets that are accepted, one to five.
    package func setSecrets(_ secrets: [String]) throws { try machine.clients.setSecrets(secrets) }

    /// Sets the client's public keys, in PEM form.
    package func setClientKeys(_ keys: [String]) throws { try machine.clients.setKeys(keys) }

    /// Sets the limit on calls of the token and the revocation endpoint, with a full bucket, or switches it off.
    package func setRateLimit(_ limit: RateLimit?) { machine.setLimit(limit, of: .tokens, at: .now) }

    /// Sets the certificate for new connections, unless the stand-in speaks plain HTTP.
    package func setCertificate(_ kind: TransportSecurity) throws {
        guard (kind == .none) == (tls == .none) else { throw Fault("a running stand-in can't change its scheme") }
        server = try authority.serverContext(kind)
    }

    /// Sets the treatment of a connection on which a second request arrives.
    package func setUsedConnections(_ treatment: UsedConnections) { usedConnections = treatment }
}
