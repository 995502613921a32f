extension StandInTenant {
    /// Sets what everyone gets whose subject asks for nothing else, as a script of ``BehaviourTable``; `ok` is as at the
    /// start.
    package func setBehaviour(_ script: String) throws {
        apply(.behaviour(try BehaviourTable.script(script)))
    }

    /// Sets what one subject or user id gets.
    package func setBehaviour(_ script: String, forValue value: String) throws {
        apply(.valueBehaviour(value, try BehaviourTable.script(script)))
    }

    /// Sets what the next calls get, one play a call, whoever asks; after them all is as before.
    package func setScript(_ script: String) throws {
        apply(.nextCalls(try BehaviourTable.script(script)))
    }

    /// Sets how the revocation endpoint answers; `ok` revokes.
    package func setRevocationBehaviour(_ script: String) throws {
        apply(.revocation(try BehaviourTable.script(script)))
    }

    /// Sets how long each reply waits.
    package func setLatency(_ latency: Duration) {
        apply(.latency(latency))
    }

    /// Sets how long the tokens of the usual reply live; whole seconds.
    package func setLifetime(_ lifetime: Duration) {
        apply(.lifetime(lifetime))
    }

    /// Sets the client's public keys, in PEM form.
    package func setClientKeys(_ keys: [String]) throws {
        apply(.keys(try ClientKeys(keys)))
    }

    /// Sets the secrets that are accepted, one to five.
    package func setSecrets(_ secrets: [String]) throws {
        apply(.secrets(try ClientSecrets(secrets)))
    }

    /// Sets the limit on calls, with a full bucket, or switches it off.
    package func setRateLimit(_ limit: RateLimit?) {
        apply(.rateLimit(limit))
    }

    /// Sets the certificate that new connections get; plain HTTP stays plain.
    package func setCertificate(_ kind: TransportSecurity) throws {
        guard (kind == .none) == (tls == .none) else { throw Fault("a running stand-in doesn't change its scheme") }
        server = try authority.serverContext(kind, for: host)
    }

    /// Sets what becomes of a connection when another request comes on it.
    package func setUsedConnections(_ fate: UsedConnections) { usedConnections = fate }

    /// Changes a setting.
    func apply(_ setting: Setting) {
        machine.apply(setting, at: .now)
    }
}
