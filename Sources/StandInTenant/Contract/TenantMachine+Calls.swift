import FoundationEssentials
import NIOHTTP1

extension TenantMachine {
    /// Decides on a call of the token endpoint.
    ///
    /// The rate limit counts before all else, as the real one does. Broken rules are noted whatever the reply is.
    mutating func receiveMint(_ request: IncomingRequest, _ call: Int, at now: Date) -> OpenCall {
        log.counters.calls += 1
        log.counters.tiers[.tokens, default: .init()].calls += 1
        var inspector = RequestInspector(request)
        let mint = inspector.mintRequest()
        if let key = mint?.key {
            log.counters.callsByKey[key, default: 0] += 1
            log.note(call) { entry in entry.key = key }
        }
        var open = rejection(inspector.violations, call, in: .tokens, at: now)
        if let mint, open == nil { open = plan(for: mint, call, at: now) }
        open?.value = mint?.key.value
        return open ?? Self.invalid([])
    }

    /// Notes the broken rules, and rejects a call that breaks one or exceeds the rate limit.
    mutating func rejection(
        _ violations: [String],
        _ call: Int,
        in tier: StandInTenant.Tier,
        at now: Date
    ) -> OpenCall? {
        log.note(call, violations: violations)
        if let seconds = allowances[tier]?.take(at: now) {
            log.counters.tiers[tier, default: .init()].throttled += 1
            return OpenCall(plan: .reply(BehaviourTable.throttled(String(seconds))), text: "rate-limited")
        }
        return violations.isEmpty ? nil : Self.invalid(violations)
    }

    private mutating func plan(for mint: MintRequest, _ call: Int, at now: Date) -> OpenCall {
        switch clients.verdict(on: mint, at: now) {
        case .accepted: return play(for: mint, call)
        case .refused(let reply):
            log.counters.refusedClients += 1
            return OpenCall(plan: .reply(reply), text: "refused-client")
        case .wrong(let violation):
            log.note(call, violations: [violation])
            return Self.invalid([violation])
        }
    }

    private mutating func play(for mint: MintRequest, _ call: Int) -> OpenCall {
        do {
            let play = try scripts.next(for: mint.key)
            return OpenCall(plan: .mint(play.behaviour, mint), text: play.text, latency: play.latency)
        } catch {
            log.note(call, violations: ["the subject's behaviour is malformed: \(error)"])
            return Self.invalid(["\(error)"])
        }
    }

    /// Decides on a call of the revocation endpoint.
    mutating func receiveRevocation(_ request: IncomingRequest, _ call: Int, at now: Date) -> OpenCall {
        log.counters.revocations += 1
        log.counters.tiers[.tokens, default: .init()].calls += 1
        var inspector = RequestInspector(request)
        let token = inspector.revokedToken()
        if let rejection = rejection(inspector.violations, call, in: .tokens, at: now) { return rejection }
        guard let token else { return Self.invalid([]) }
        let play = scripts.nextRevocation()
        let isUsual = play.behaviour == Behaviour()
        return OpenCall(plan: isUsual ? .revoke(token) : .reply(play.behaviour), text: play.text)
    }

    /// Revokes a token, and returns 200 with an empty body, or 400 if it wasn't issued here.
    mutating func revoke(_ token: String, at now: Date) -> Behaviour {
        guard let record = tokens[token] else {
            return .error(400, "OAUTH-18", "Invalid token", "no such token was issued")
        }
        if let status = record.revocationStatus { return .error(status) }
        _ = tokens.revoke(token, at: now)
        return Behaviour(200, .empty, contentType: nil)
    }

    /// Returns the reply to a request for the page that browsers get, which leads to the log-in as a rule.
    mutating func home(_ call: Int) -> Behaviour {
        log.note(call) { entry in entry.behaviour = "home" }
        return Behaviour(404, .empty, contentType: nil)
    }

    /// The reply to a request that breaks a rule.
    static func invalid(_ violations: [String]) -> OpenCall {
        let detail = violations.joined(separator: "; ")
        return OpenCall(plan: .reply(.error(400, "OAUTH-1", "Invalid request", detail)), text: "violation")
    }
}
