import Secrets
import TokenProtocol

@testable import TokenCache

/// Those who wait, and the replies that they get.
extension ModelRun {
    /// Somebody begins to wait.
    func add(_ waiter: ModelWaiter) {
        waiters[waiter.name] = waiter
        waiter.tenant.waiting += 1
    }

    /// A waiter's call has ended so; the cache tells the waiter when it comes to it.
    func settle(_ waiter: ModelWaiter, _ outcome: ModelWaiter.Outcome) {
        waiter.call = nil
        waiter.outcome = outcome
    }

    /// Tells all who wait for a call what it came to.
    func settle(_ call: ModelCall, _ outcome: ModelWaiter.Outcome) {
        for waiter in call.waiters { settle(waiter, outcome) }
        call.waiters = []
    }

    // MARK: Replies

    /// Takes a reply to somebody who waited.
    func take(_ delivery: Delivery, evicted: [ModelEntry]) throws {
        guard let waiter = waiters[delivery.waiter] else { throw violated("somebody got a reply who didn't wait") }
        trace("\(waiter.key.map { "\($0)" } ?? "logout") of \(waiter.peer) is told \(delivery.reply)")
        guard let key = waiter.key else { return try takeLogout(delivery.reply, waiter) }
        switch delivery.reply {
        case .token(let reply): try take(reply, waiter, key, evicted: evicted)
        case .error(let error):
            let stale = waiter.acceptsStale ? key.entry.flatMap { $0.isServable(at: now) ? $0 : nil } : nil
            if stale != nil { throw violated("who waited got \(error.code) though a living token was there") }
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
            guard waiter.acceptsStale, reply.isStale else { throw violated("who waited got a token from the cache") }
            let present = [key.entry].compactMap(\.self) + evicted
            guard present.contains(where: { $0.token.fingerprint == reply.token.fingerprint }) else {
                throw violated("a stale token came that was dropped")
            }
            return try takeStale(waiter)
        }
        guard case .token(let token) = waiter.outcome, token.fingerprint == reply.token.fingerprint else {
            throw violated("who waited got another token than its call's")
        }
        guard token.generation == waiter.generation else {
            throw violated("who waited got a token of another generation than asked for")
        }
        tally.note(.servedByTenant)
        stopWaiting(waiter)
    }

    /// The old token came in the place of an error.
    private func takeStale(_ waiter: ModelWaiter) throws {
        tally.note(.servedStale)
        switch waiter.outcome {
        case .error: return stopWaiting(waiter)
        case .token: throw violated("who waited got the old token though its call brought one")
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
                throw violated("who waited got \(error.code) though its call brought a token")
            }
            stopWaiting(waiter)
        case .error(let expected):
            if waiter.farewell != nil { tally.note(.toldOfRemoval) }
            try check(error, is: expected)
            stopWaiting(waiter)
        case nil where error.code == .timeout: try takeTimeout(waiter)
        case nil where error.code == waiter.farewell:
            tally.note(.toldOfRemoval)
            stopWaiting(waiter)
        case nil:
            try checkPacing(waiter, error)
            stopWaiting(waiter, isPaced: true)
        }
    }

    /// An error that says what the model foresees.
    func check(_ error: ErrorReply, is expected: ModelError) throws {
        guard error.code == expected.code else { throw violated("an error is \(error.code), not \(expected.code)") }
        guard range(of: expected, contains: error) else {
            throw violated("\(error.code) says retry_after \(error.retryAfter ?? 0), not \(expected.wait ?? .zero)")
        }
    }

    /// Whether an error says when to come back as the model foresees it, rounded up.
    func range(of expected: ModelError, contains error: ErrorReply) -> Bool {
        guard let wait = expected.wait else { return true }
        let range = (wait - Self.tolerance).asRetryAfter...(wait + Self.tolerance).asRetryAfter
        return error.retryAfter.map(range.contains) ?? false
    }

    private func takeTimeout(_ waiter: ModelWaiter) throws {
        guard waiter.deadline <= now else { throw violated("somebody was told of a timeout before it") }
        tally.note(.timedOut)
        try checkForesight(waiter, waiter.call)
        stopWaiting(waiter)
    }

    /// A wait has ended in vain: the caller must not have been let wait if that could be foreseen.
    private func checkForesight(_ waiter: ModelWaiter, _ call: ModelCall?) throws {
        guard let call, !call.isSent else { return }
        guard let foresight = waiter.foresight, foresight == waiter.tenant.present(for: call) else {
            return tally.note(.timedOutUnforeseen)
        }
        throw violated("somebody was let wait and not served in time, though nothing unforeseen happened")
    }

    /// Somebody is told that the call can't go in time: that must be true.
    private func checkPacing(_ waiter: ModelWaiter, _ error: ErrorReply? = nil) throws {
        guard let call = waiter.call, !call.isSent, [.rateLimited, .unavailable, nil].contains(error?.code) else {
            throw violated("who waited was told to come back without cause: \(error?.code.rawValue ?? "stale")")
        }
        let tenant = waiter.tenant
        guard tenant.isPacing else { throw violated("who waited was told to come back though nothing had changed") }
        guard tenant.isPacingUndisturbed else { return tally.note(.toldByPaceUnjudged) }
        tally.note(.toldByPace)
        let earliest = tenant.earliest(of: call, now: now)
        if earliest + Self.tolerance < waiter.deadline {
            throw violated("who waited was told to come back, but could have gone in time")
        }
        guard let error else { return }
        try check(error, is: ModelError(code: error.code, wait: earliest - now))
        if tenant.block(now) == nil, error.code == .unavailable {
            throw violated("a tenant is said to be unavailable that is only asked too often")
        }
    }

    // MARK: Logouts

    private func takeLogout(_ reply: Reply, _ waiter: ModelWaiter) throws {
        guard case .revoked(true, let isTaken) = reply else { throw violated("a logout got another reply") }
        if waiter.open.isEmpty {
            guard isTaken == waiter.areAllTaken else { throw violated("a logout was told the wrong end") }
            return stopWaiting(waiter)
        }
        guard isTaken == false else { throw violated("a logout was told of an end that has not come") }
        tally.note(.logoutWaitedInVain)
        guard waiter.deadline > now else {
            if waiter.open.count == 1 { try checkForesight(waiter, waiter.open.first) }
            return stopWaiting(waiter)
        }
        guard waiter.tenant.isPacing else { throw violated("a logout was answered before its time") }
        let isLate = waiter.open.contains {
            !$0.isSent && waiter.tenant.earliest(of: $0, now: now) + Self.tolerance >= waiter.deadline
        }
        if waiter.tenant.isPacingUndisturbed, !isLate { throw violated("a logout was given up that could go in time") }
        stopWaiting(waiter, isPaced: true)
    }

    // MARK: Ends of waits

    /// Somebody waits no longer; the call goes on as one that nobody waits for, or ends.
    ///
    /// - Parameter isPaced: Whether it was told to come back: then a mint ends that was planned for callers only.
    func stopWaiting(_ waiter: ModelWaiter, isPaced: Bool = false) {
        waiters[waiter.name] = nil
        waiter.tenant.waiting -= 1
        if !isPaced, !waiter.open.isEmpty || waiter.call.map({ !$0.isSent }) ?? false {
            waiter.tenant.isPacingUndisturbed = false
        }
        for call in waiter.open {
            call.logout = nil
            call.tenant.requeue(call, as: call.placeAlone, isPaced: isPaced)
        }
        guard let call = waiter.call else { return }
        waiter.call = nil
        call.waiters.removeAll { $0 === waiter }
        guard call.waiters.isEmpty, !call.isSent else { return }
        if call.fate != .current || isPaced && call.refresh == nil && !call.isProbe {
            remove(call, isPaced: isPaced)
            lost(call, wasSent: false)
        } else {
            call.tenant.requeue(call, as: call.placeAlone, isPaced: isPaced)
        }
    }

    // MARK: Tokens

    /// A token that is handed out, to whom it may be.
    func check(_ reply: TokenReply, for key: ModelKey, minTTL: Duration?, since generation: Int) throws {
        guard let token = tokens[reply.token.fingerprint] else { throw violated("a token came that nobody minted") }
        let left = token.left(at: now)
        if token.key !== key { throw violated("a token of another key was handed out") }
        if token.isRevoked { throw violated("a token was handed out after its user's logout") }
        if token.generation < generation { throw violated("a token came that was void when it was asked for") }
        if left < .seconds(1) { throw violated("a token with less than a second was handed out") }
        if reply.expiresIn != left.wholeSeconds { throw violated("expires_in is not what is left") }
        guard reply.source == .cache else { return }
        if left <= min(.seconds(30), token.lifetime * 0.05) {
            throw violated("a token came from the cache within its margin")
        }
        if left < minTTL ?? .zero, reply.meetsMinTTL, !reply.isStale {
            throw violated("min_ttl was neither met nor marked")
        }
        if minTTL != nil, reply.isStale { throw violated("who insists on min_ttl got a stale token") }
    }
}
