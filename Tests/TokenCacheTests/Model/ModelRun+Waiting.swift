import Secrets
import TokenProtocol

@testable import TokenCache

/// Waiters, and the replies that they get.
extension ModelRun {
    /// Adds a waiter.
    func add(_ waiter: ModelWaiter) {
        waiters[waiter.name] = waiter
        waiter.tenant.waiting += 1
    }

    /// Records the end of a waiter's call.
    ///
    /// The cache tells the waiter when it gets to it.
    func complete(_ waiter: ModelWaiter, _ outcome: ModelWaiter.Outcome) {
        waiter.call = nil
        waiter.outcome = outcome
    }

    /// Records the end of a call for all its waiters.
    func complete(_ call: ModelCall, _ outcome: ModelWaiter.Outcome) {
        for waiter in call.waiters { complete(waiter, outcome) }
        call.waiters = []
    }

    // MARK: Replies

    /// Takes a reply to a waiter.
    func take(_ delivery: Delivery, evicted: [ModelEntry]) throws {
        guard let waiter = waiters[delivery.waiter] else { throw violated("a reply has no waiter") }
        trace("\(waiter.key.map { "\($0)" } ?? "logout") of \(waiter.peer) is told \(delivery.reply)")
        guard let key = waiter.key else { return try takeLogout(delivery.reply, waiter) }
        switch delivery.reply {
        case .token(let reply): try take(reply, waiter, key, evicted: evicted)
        case .error(let error):
            let stale = waiter.acceptsStale ? key.entry.flatMap { $0.isServable(at: now) ? $0 : nil } : nil
            if stale != nil { throw violated("a waiter got \(error.code) though there was a valid token") }
            try take(error, waiter)
        default: throw violated("a caller got a reply that is no token and no error")
        }
    }

    private func take(
        _ reply: TokenReply,
        _ waiter: ModelWaiter,
        _ key: ModelKey,
        evicted: [ModelEntry]
    ) throws {
        try check(reply, for: key, minTTL: waiter.options?.minTTL, since: waiter.generation)
        if reply.source == .cache {
            guard waiter.acceptsStale, reply.isStale else { throw violated("a waiter got a token from the cache") }
            let present = [key.entry].compactMap(\.self) + evicted
            guard present.contains(where: { $0.token.fingerprint == reply.token.fingerprint }) else {
                throw violated("a waiter got a stale token that was dropped")
            }
            return try takeStale(waiter)
        }
        guard case .token(let token) = waiter.outcome, token.fingerprint == reply.token.fingerprint else {
            throw violated("a waiter got another token than its call's")
        }
        guard token.generation == waiter.generation else {
            throw violated("a waiter got a token of another generation than requested")
        }
        tally.note(.servedByTenant)
        stopWaiting(waiter)
    }

    /// Takes the old token in place of an error.
    private func takeStale(_ waiter: ModelWaiter) throws {
        tally.note(.servedStale)
        switch waiter.outcome {
        case .error: return stopWaiting(waiter)
        case .token: throw violated("a waiter got the old token though its call brought a new one")
        case nil: break
        }
        let isTimeout = waiter.deadline <= now && waiter.call?.id.map { machine.calls[$0] != nil } ?? false
        if !isTimeout { try checkPacing(waiter) }
        stopWaiting(waiter, isPaced: !isTimeout)
    }

    private func take(_ error: ErrorReply, _ waiter: ModelWaiter) throws {
        switch waiter.outcome {
        case .token(let token):
            guard error.code == .badUpstream, token.left(at: now) < .seconds(1) else {
                throw violated("a waiter got \(error.code) though its call brought a token")
            }
            stopWaiting(waiter)
        case .error(let expected):
            if waiter.removalError != nil { tally.note(.toldOfRemoval) }
            try check(error, is: expected)
            stopWaiting(waiter)
        case nil where error.code == .timeout: try takeTimeout(waiter)
        case nil where error.code == waiter.removalError:
            tally.note(.toldOfRemoval)
            stopWaiting(waiter)
        case nil:
            try checkPacing(waiter, error)
            stopWaiting(waiter, isPaced: true)
        }
    }

    /// Checks that an error is the expected one.
    func check(_ error: ErrorReply, is expected: ModelError) throws {
        guard error.code == expected.code else { throw violated("an error is \(error.code), not \(expected.code)") }
        guard range(of: expected, contains: error) else {
            throw violated("\(error.code) says retry_after \(error.retryAfter ?? 0), not \(expected.wait ?? .zero)")
        }
    }

    /// True if an error's `retry_after` is the expected time, rounded up.
    func range(of expected: ModelError, contains error: ErrorReply) -> Bool {
        guard let wait = expected.wait else { return true }
        let range = (wait - Self.tolerance).asRetryAfter...(wait + Self.tolerance).asRetryAfter
        return error.retryAfter.map(range.contains) ?? false
    }

    private func takeTimeout(_ waiter: ModelWaiter) throws {
        guard waiter.deadline <= now else { throw violated("a caller got a timeout too early") }
        tally.note(.timedOut)
        try checkForecast(waiter, waiter.call)
        stopWaiting(waiter)
    }

    /// Checks a wait that timed out: the caller must not have been accepted if that could be known.
    private func checkForecast(_ waiter: ModelWaiter, _ call: ModelCall?) throws {
        guard let call, !call.isSent else { return }
        guard let forecast = waiter.forecast, forecast == waiter.tenant.present(for: call) else {
            return tally.note(.timedOutUnexpectedly)
        }
        throw violated("a caller waited in vain, though nothing unpredictable happened")
    }

    /// Checks that a caller who is told to come back really can't be served in time.
    private func checkPacing(_ waiter: ModelWaiter, _ error: ErrorReply? = nil) throws {
        guard let call = waiter.call, !call.isSent, [.rateLimited, .unavailable, nil].contains(error?.code) else {
            throw violated("a waiter was told to come back without cause: \(error?.code.rawValue ?? "stale")")
        }
        let tenant = waiter.tenant
        guard tenant.isPacing else { throw violated("a waiter was told to come back though nothing had changed") }
        guard tenant.isPacingUndisturbed else { return tally.note(.toldByPaceUnjudged) }
        tally.note(.toldByPace)
        let earliest = tenant.earliest(of: call, now: now)
        if earliest + Self.tolerance < waiter.deadline {
            throw violated("a waiter was told to come back, but could be served in time")
        }
        guard let error else { return }
        try check(error, is: ModelError(code: error.code, wait: earliest - now))
        if tenant.block(now) == nil, error.code == .unavailable {
            throw violated("a tenant counts as unavailable that only has a rate limit")
        }
    }

    // MARK: Logouts

    private func takeLogout(_ reply: Reply, _ waiter: ModelWaiter) throws {
        guard case .revoked(true, let isTaken) = reply else { throw violated("a logout got another reply") }
        if waiter.open.isEmpty {
            guard isTaken == waiter.areAllTaken else { throw violated("a logout got the wrong result") }
            return stopWaiting(waiter)
        }
        guard isTaken == false else { throw violated("a logout got a result before there was one") }
        tally.note(.logoutWaitedInVain)
        guard waiter.deadline > now else {
            if waiter.open.count == 1 { try checkForecast(waiter, waiter.open.first) }
            return stopWaiting(waiter)
        }
        guard waiter.tenant.isPacing else { throw violated("a logout was answered before its time") }
        let isLate = waiter.open.contains {
            !$0.isSent && waiter.tenant.earliest(of: $0, now: now) + Self.tolerance >= waiter.deadline
        }
        if waiter.tenant.isPacingUndisturbed, !isLate {
            throw violated("a logout was given up that could be done in time")
        }
        stopWaiting(waiter, isPaced: true)
    }

    // MARK: Ends of waits

    /// Removes a waiter.
    ///
    /// Its call goes on without it, or ends.
    ///
    /// - Parameter isPaced: True if it was told to come back. Then a mint ends that was queued only for callers.
    func stopWaiting(_ waiter: ModelWaiter, isPaced: Bool = false) {
        waiters[waiter.name] = nil
        waiter.tenant.waiting -= 1
        if !isPaced, !waiter.open.isEmpty || waiter.call.map({ !$0.isSent }) ?? false {
            waiter.tenant.isPacingUndisturbed = false
        }
        for call in waiter.open {
            call.logout = nil
            call.tenant.requeue(call, as: call.positionAlone, isPaced: isPaced)
        }
        guard let call = waiter.call else { return }
        waiter.call = nil
        call.waiters.removeAll { $0 === waiter }
        guard call.waiters.isEmpty, !call.isSent else { return }
        if call.fate != .current || isPaced && call.refresh == nil && !call.isProbe && !call.isOfRound {
            remove(call, isPaced: isPaced)
            lost(call, wasSent: false)
        } else {
            call.tenant.requeue(call, as: call.positionAlone, isPaced: isPaced)
        }
    }

    // MARK: Tokens

    /// Checks that a served token may be served to its caller.
    func check(_ reply: TokenReply, for key: ModelKey, minTTL: Duration?, since generation: Int) throws {
        guard let token = tokens[reply.token.fingerprint] else {
            throw violated("a token was served that was never minted")
        }
        let left = token.left(at: now)
        if token.key !== key { throw violated("a token of another key was served") }
        if token.isRevoked { throw violated("a token was served after its user's logout") }
        if token.generation < generation { throw violated("a token was served that was void when it was requested") }
        if left < .seconds(1) { throw violated("a token with less than a second left was served") }
        if reply.expiresIn != left.wholeSeconds { throw violated("expires_in is not the time left") }
        guard reply.source == .cache else { return }
        if left <= min(.seconds(30), token.lifetime * 0.05) {
            throw violated("a token was served from the cache within its margin")
        }
        if left < minTTL ?? .zero, reply.meetsMinTTL, !reply.isStale {
            throw violated("min_ttl was neither met nor marked")
        }
        if minTTL != nil, reply.isStale { throw violated("a caller who demands min_ttl got a stale token") }
    }
}
