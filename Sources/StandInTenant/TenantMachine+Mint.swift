extension TenantMachine {
    /// A call of the token endpoint has arrived.
    ///
    /// The limit counts before all else, as it does at the real one; whatever the reply, broken rules are noted.
    mutating func receiveMint(_ request: IncomingRequest, _ call: CallNumber, at now: Moment) -> Reception {
        ledger.counters.calls += 1
        var inspector = RequestInspector(request)
        let mint = inspector.mintRequest()
        if let key = mint?.key {
            ledger.counters.callsByKey[key, default: 0] += 1
            ledger.note(call) { entry in entry.key = key }
        }
        ledger.note(call, violations: inspector.violations)
        let (plan, text) = plan(mint, inspector.violations, call, at: now)
        return open(call, plan, value: mint?.key.value, text: text, request: request)
    }

    /// Makes the token of a reply that carries one.
    mutating func mint(_ behaviour: Behaviour, for key: StandInTenant.MintKey, at now: Moment) throws -> Grant? {
        guard let form = behaviour.mintedForm else { return nil }
        let seconds =
            switch form.life {
            case .configured: lifetime
            case .seconds(let seconds): seconds
            }
        let scope = scope(of: form, for: key)
        let issued = now.wall.adding(seconds: behaviour.clockOffset)
        let token =
            try minter.mint(for: key, scope: scope, at: issued, lifetime: seconds, bytes: form.tokenBytes ?? tokenBytes)
            + form.tokenSuffix
        tokens.add(token, until: now.elapsed + .seconds(seconds), revocationStatus: form.revocationStatus)
        ledger.counters.mints += 1
        ledger.counters.mintsByKey[key, default: 0] += 1
        return Grant(token: token, scope: scope, lifetime: seconds, refreshToken: minter.refreshToken())
    }

    private func scope(of form: TokenForm, for key: StandInTenant.MintKey) -> String {
        guard case .other(let scope) = form.scope else { return key.scope ?? clientScopes.joined(separator: " ") }
        return scope
    }

    private mutating func plan(
        _ mint: MintRequest?,
        _ violations: [String],
        _ call: CallNumber,
        at now: Moment
    ) -> (OpenCall.Plan, text: String) {
        if let wait = takeAllowance(at: now) { return (.reply(wait), "rate-limited") }
        guard let mint, violations.isEmpty else { return (.reply(Self.invalid(violations)), "violation") }
        switch verdict(on: mint.proof, at: now) {
        case .accepted: break
        case .refused:
            ledger.counters.refusedClients += 1
            return (.reply(BehaviourTable.badClient), "refused-client")
        case .wrong(let fault):
            ledger.note(call, violations: [fault])
            return (.reply(Self.invalid([fault])), "violation")
        }
        do {
            let play = try scripts.next(for: mint.key)
            return (.play(play, mint.key), play.text)
        } catch {
            ledger.note(call, violations: ["the subject's behaviour can't be read: \(error)"])
            return (.reply(Self.invalid(["\(error)"])), "violation")
        }
    }

    private mutating func verdict(on proof: MintRequest.Proof, at now: Moment) -> ClientKeys.Verdict {
        switch proof {
        case .secret(let id, let secret): id == clientID && secrets.accept(secret) ? .accepted : .refused
        case .assertion(let assertion):
            keys.verdict(on: assertion, from: clientID, to: "\(destinations.same)/oauth/token", at: now.wall)
        }
    }

    /// Takes a call from the limit's bucket; what it gets where that is empty.
    mutating func takeAllowance(at now: Moment) -> Behaviour? {
        guard let seconds = allowance?.take(at: now.elapsed) else { return nil }
        ledger.counters.throttled += 1
        return BehaviourTable.tooManyCalls.retry(after: .text(String(seconds)))
    }

    /// What a request gets that breaks a rule.
    static func invalid(_ violations: [String]) -> Behaviour {
        .refusal(400, "OAUTH-1", "Invalid request", violations.joined(separator: "; "))
    }
}
