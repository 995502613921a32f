import FoundationEssentials
import NIOHTTP1

extension TenantMachine {
    /// Decides on a call of the token endpoint.
    ///
    /// The rate limit counts before all else, as the real one does. Broken rules are noted whatever the reply is.
    mutating func receiveMint(_ request: IncomingRequest, _ call: Int, at now: Date) -> OpenCall {
        log.counters.calls += 1
        var inspector = RequestInspector(request)
        let mint = inspector.mintRequest()
        if let key = mint?.key {
            log.counters.callsByKey[key, default: 0] += 1
            log.note(call) { entry in entry.key = key }
        }
        var open = rejection(inspector.violations, call, at: now)
        if let mint, open == nil { open = plan(for: mint, call, at: now) }
        open?.value = mint?.key.value
        return open ?? Self.invalid([])
    }

    /// Notes the broken rules, and rejects a call that breaks one or exceeds the rate limit.
    private mutating func rejection(_ violations: [String], _ call: Int, at now: Date) -> OpenCall? {
        log.note(call, violations: violations)
        if let seconds = allowance?.take(at: now) {
            log.counters.throttled += 1
            return OpenCall(plan: .reply(BehaviourTable.throttled(String(seconds))), text: "rate-limited")
        }
        return violations.isEmpty ? nil : Self.invalid(violations)
    }

    private mutating func plan(for mint: MintRequest, _ call: Int, at now: Date) -> OpenCall {
        switch verdict(on: mint.proof, at: now) {
        case .accepted: return play(for: mint.key, call)
        case .refused:
            log.counters.refusedClients += 1
            return OpenCall(plan: .reply(BehaviourTable.badClient), text: "refused-client")
        case .wrong(let violation):
            log.note(call, violations: [violation])
            return Self.invalid([violation])
        }
    }

    private mutating func verdict(on proof: MintRequest.Proof, at now: Date) -> ClientKeys.Verdict {
        switch proof {
        case .secret(let id, let secret): id == clientID && secrets.contains(secret) ? .accepted : .refused
        case .assertion(let assertion):
            keys.verdict(on: assertion, from: clientID, to: baseURL + Route.tokenPath, at: now)
        }
    }

    private mutating func play(for key: StandInTenant.MintKey, _ call: Int) -> OpenCall {
        do {
            let play = try scripts.next(for: key)
            return OpenCall(plan: .mint(play.behaviour, key), text: play.text, latency: play.latency)
        } catch {
            log.note(call, violations: ["the subject's behaviour is malformed: \(error)"])
            return Self.invalid(["\(error)"])
        }
    }

    /// Decides on a call of the revocation endpoint.
    mutating func receiveRevocation(_ request: IncomingRequest, _ call: Int, at now: Date) -> OpenCall {
        log.counters.revocations += 1
        var inspector = RequestInspector(request)
        let token = inspector.revokedToken()
        if let rejection = rejection(inspector.violations, call, at: now) { return rejection }
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

    /// Returns the reply to the API's call, 200 if the bearer token (RFC 6750, section 2.1) is live.
    mutating func currentUser(_ request: IncomingRequest, _ call: Int, at now: Date) -> Behaviour {
        log.note(call) { entry in entry.behaviour = "api" }
        let words = request.head.headers["authorization"].first?.split(separator: " ", maxSplits: 1) ?? []
        let isBearer = request.head.method == .GET && words.count == 2 && words[0] == "Bearer"
        let isLive = isBearer && tokens.isLive(String(words[1]), at: now)
        return Behaviour(isLive ? 200 : 401, .text(#"{"authorized":\#(isLive)}"#))
    }

    /// Returns the reply to a request for the page that browsers get, which leads to the log-in as a rule.
    mutating func home(_ call: Int) -> Behaviour {
        log.note(call) { entry in entry.behaviour = "home" }
        return Behaviour(404, .empty, contentType: nil)
    }

    /// The reply to a request that breaks a rule.
    private static func invalid(_ violations: [String]) -> OpenCall {
        let detail = violations.joined(separator: "; ")
        return OpenCall(plan: .reply(.error(400, "OAUTH-1", "Invalid request", detail)), text: "violation")
    }
}
