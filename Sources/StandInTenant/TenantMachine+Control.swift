extension TenantMachine {
    /// Changes a setting.
    package mutating func apply(_ setting: Setting, at now: ContinuousClock.Instant) {
        switch setting {
        case .behaviour(let script): scripts.setUsual(script)
        case .valueBehaviour(let value, let script): scripts.set(script, forValue: value)
        case .nextCalls(let script): scripts.setNextCalls(script)
        case .revocation(let script): scripts.setRevocation(script)
        case .latency(let latency): self.latency = max(.zero, latency)
        case .lifetime(let lifetime): self.lifetime = Int(lifetime / .seconds(1))
        case .tokenBytes(let bytes): tokenBytes = bytes
        case .secrets(let secrets): self.secrets = secrets
        case .keys(let keys): self.keys = keys
        case .rateLimit(let limit): allowance = limit.map { limit in CallAllowance(limit, at: now) }
        }
    }

    /// Forgets what was counted, and begins every script anew.
    package mutating func reset() {
        ledger.reset()
        scripts.restart()
    }

    /// Shuts the gate for all, or for one subject or user id.
    package mutating func hold(forValue value: String?) {
        gate.shut(forValue: value)
    }

    /// Opens the gate, or lets only the oldest replies through; the calls whose replies go out now.
    package mutating func release(count: Int?) -> [CallNumber] {
        defer { ledger.counters.held = gate.count }
        return count.map { count in gate.release(count) } ?? gate.open()
    }

    /// Revokes a token from the tenant's side; whether it was live.
    package mutating func revoke(_ token: String, at now: ContinuousClock.Instant) -> Bool {
        tokens.revoke(token, at: now)
    }

    /// A connection was accepted, or has ended.
    package mutating func connectionChanged(opened: Bool) {
        ledger.counters.openConnections += opened ? 1 : -1
        ledger.counters.connections += opened ? 1 : 0
    }

    /// Something came that is no HTTP, or too much of it; it counts as a request that breaks a rule.
    package mutating func receiveRubbish(_ sentence: String) {
        ledger.note(rubbish: sentence)
    }
}
