extension TenantMachine {
    /// A call of the revocation endpoint has arrived.
    mutating func receiveRevocation(_ request: IncomingRequest, _ call: CallNumber, at now: Moment) -> Reception {
        ledger.counters.revocations += 1
        var inspector = RequestInspector(request)
        let token = inspector.revokedToken()
        ledger.note(call, violations: inspector.violations)
        let (plan, text) = revocationPlan(token, inspector.violations, at: now)
        return open(call, plan, value: nil, text: text, request: request)
    }

    private mutating func revocationPlan(
        _ token: String?,
        _ violations: [String],
        at now: Moment
    ) -> (OpenCall.Plan, text: String) {
        if let wait = takeAllowance(at: now) { return (.reply(wait), "rate-limited") }
        guard let token, violations.isEmpty else { return (.reply(Self.invalid(violations)), "violation") }
        let play = scripts.nextRevocation()
        guard play.behaviour == Behaviour() else { return (.reply(play.behaviour), play.text) }
        return (.revocation(token), play.text)
    }

    /// Answers a revocation: 200 and nothing for a token that was handed out here, 400 for any other text.
    mutating func revoke(_ token: String, _ call: CallNumber, at now: Moment, closes: Bool) -> ReplyScript {
        if let status = tokens.revocationStatus(token) {
            let refusal = Behaviour.refusal(status, "OAUTH-\(status)", "Status \(status)")
            return compose(refusal, call, at: now, closes: closes)
        }
        guard tokens.isKnown(token) else {
            let refusal = Behaviour.refusal(400, "OAUTH-18", "Invalid token", "no such token was issued")
            return compose(refusal, call, at: now, closes: closes)
        }
        _ = tokens.revoke(token, at: now.elapsed)
        return compose(.reply(200, .empty, contentType: nil), call, at: now, closes: closes)
    }

    /// Answers the API's call: whether the bearer token (RFC 6750, section 2.1) is live.
    mutating func currentUser(
        _ request: IncomingRequest,
        _ call: CallNumber,
        at now: ContinuousClock.Instant
    ) -> ReplyScript {
        ledger.note(call) { entry in entry.behaviour = "api" }
        let prefix = "Bearer "
        let value = request.values("authorization").first ?? ""
        let isLive =
            request.method == "GET" && value.hasPrefix(prefix)
            && tokens.isLive(String(value.dropFirst(prefix.count)), at: now)
        return reply(OutgoingReply(isLive ? 200 : 401, json: .members(["authorized": .boolean(isLive)])), request, call)
    }

    /// Answers somebody who followed a redirect, which the contract forbids.
    mutating func redirected(_ request: IncomingRequest, _ call: CallNumber, at now: Moment) -> ReplyScript {
        ledger.counters.redirectsFollowed += 1
        return violated("a redirect was followed to \(request.target)", 400, request, call, at: now)
    }

    /// Answers a request that the contract doesn't know.
    mutating func unknown(_ request: IncomingRequest, _ call: CallNumber, at now: Moment) -> ReplyScript {
        violated("there is no \(request.target)", 404, request, call, at: now)
    }

    private mutating func violated(
        _ sentence: String,
        _ status: Int,
        _ request: IncomingRequest,
        _ call: CallNumber,
        at now: Moment
    ) -> ReplyScript {
        ledger.note(call, violations: [sentence])
        ledger.note(call) { entry in entry.behaviour = "violation" }
        let refusal = Behaviour.refusal(status, "OAUTH-1", "Invalid request", sentence)
        return compose(refusal, call, at: now, closes: !request.keepsAlive)
    }

    private mutating func reply(
        _ reply: OutgoingReply,
        _ request: IncomingRequest,
        _ call: CallNumber
    ) -> ReplyScript {
        ledger.note(call) { entry in entry.status = reply.status }
        var reply = reply
        reply.closes = !request.keepsAlive
        return reply.script
    }
}
