import TokenProtocol

/// The consequences of a failed mint for its waiters, for the key and for the next calls.
extension CacheStateMachine {
    /// The minimum time in seconds for which a failure is remembered, so that failed callers don't return together.
    static var minFailure: Double { 0.1 }
    /// The maximum time in seconds for which a failure is remembered, so that callers hardly wait for another's
    /// failure.
    static var maxFailure: Double { 0.5 }

    mutating func failed(_ call: Call, _ mint: Mint, _ fate: Mint.Fate, _ failure: CallFailure, now: Instant) {
        if case .denied = failure { provisioned.forget(mint.key.user) }
        let retry = retry(mint, fate, failure, call.tenant, now: now)
        let before = tenants[call.tenant]?.governor.blockedUntil(now)
        noteHold(of: call.tenant, .tokens, failure, now: now)
        noteFailure(of: call.tenant, .tokens, failure, now: now)
        noteEnd(of: call, ending(of: failure, call), now: now)
        if mint.key.user.isClient {
            noteClient(mint.key, fate, failure, now: now)
        } else {
            noteDenial(call, mint, failure, now: now)
        }
        // A probe of the client may have become the key's mint by now.
        if let retry, currentCall(of: mint.key) == nil {
            _ = enqueue(
                mint.key,
                .refresh,
                as: .background(tokenEnds: retry.tokenEnds, urgentFrom: retry.deadline, notBefore: retry.notBefore),
                refresh: retry
            )
        }
        let error = error(for: failure, call.tenant, mint, fate, now: now)
        record(call, mint, .failed(error.code, error.upstream), error, now: now)
        // Health shows it as a reason for the state of the client that acts for users.
        if !mint.key.user.isClient || error.code != .denied { tenants[call.tenant]?.lastError = (error, now) }
        complete(call, .error(error))
        recheckDeadlines(call.tenant, .tokens, before, now: now)
    }

    // MARK: Errors for callers

    /// Returns the error for a failure, and remembers it if it is the key's current mint that failed.
    private mutating func error(
        for failure: CallFailure,
        _ tenant: TenantID,
        _ mint: Mint,
        _ fate: Mint.Fate,
        now: Instant
    ) -> ErrorReply {
        // A retry after a reload goes to another tenant, for which this one's hold doesn't count.
        let block = tenants[tenant].flatMap { $0.isRetired ? nil : $0.governor.block(now) }
        guard case .denied(let upstream, _) = failure else {
            let error = self.error(for: failure, block, now: now)
            remember(error, mint, fate, now: now)
            return error
        }
        var error = denied(upstream, mint, fate, now: now)
        error.retryAfter = max(error.retryAfter ?? 1, Self.wait(block, now: now))
        return error
    }

    /// Returns the error for a failed call.
    ///
    /// - Parameter block: The hold or the open circuit of the call's tier, if there is one.
    func error(for failure: CallFailure, _ block: Governor.Delay?, now: Instant) -> ErrorReply {
        let wait = Self.wait(block, now: now)
        switch failure {
        case .denied(let upstream, _): return .denied(upstream, retryAfter: .seconds(wait))
        case .throttled: return .paced(.throttled, until: block?.until ?? now, now: now)
        case .unavailable(let reason, let code, _):
            return ErrorReply(.unavailable, reason, retryAfter: wait, cause: code)
        case .malformed(let reason), .rejected(let reason):
            return ErrorReply(.badUpstream, reason, retryAfter: wait)
        case .noMemory: return ErrorReply(.overloaded, "there is no memory left for another token", retryAfter: wait)
        }
    }

    private static func wait(_ block: Governor.Delay?, now: Instant) -> Int {
        block.map { ($0.until - now).asRetryAfter } ?? 1
    }

    private mutating func denied(
        _ upstream: ErrorReply.Upstream,
        _ mint: Mint,
        _ fate: Mint.Fate,
        now: Instant
    ) -> ErrorReply {
        let length = policy.negativeTTL
        guard length > .zero, fate == .current else {
            let error = ErrorReply.denied(upstream, retryAfter: .seconds(1))
            remember(error, mint, fate, now: now)
            return error
        }
        changeNegative(mint.key, now: now) { $0.deny(upstream, first: length, now: now) }
        return negatives[mint.key]?.error(at: now) ?? .denied(upstream, retryAfter: length)
    }

    private mutating func remember(_ error: ErrorReply, _ mint: Mint, _ fate: Mint.Fate, now: Instant) {
        guard fate == .current else { return }
        let length = Self.minFailure + randomFraction() * (Self.maxFailure - Self.minFailure)
        changeNegative(mint.key, now: now) { $0.fail(error, until: now + .seconds(length)) }
    }

    // MARK: Trying again

    /// Returns the background retry of a key whose mint has failed, or nil if there is none.
    ///
    /// A key is retried if its token is valid, due for renewal and in use. After a 429 only the hold delays it.
    private mutating func retry(
        _ mint: Mint,
        _ fate: Mint.Fate,
        _ failure: CallFailure,
        _ tenant: TenantID,
        now: Instant
    ) -> Mint.Refresh? {
        guard fate == .current, let entry = store.find(mint.key).flatMap({ store[$0] }),
            now >= entry.life.refreshAfter, isInUse(entry, now: now)
        else { return nil }
        var refresh = Mint.Refresh(tokenEnds: entry.life.expiry, deadline: entry.life.refreshDeadline)
        switch failure {
        case .denied: return nil
        case .throttled: return refresh
        case .unavailable, .malformed, .rejected, .noMemory:
            let (left, jitterFraction) = (entry.life.left(at: now), randomFraction())
            guard
                let pause = tenants[tenant]?.governor.pause(
                    after: mint.refresh?.backoff,
                    left: left,
                    jitterFraction: jitterFraction
                )
            else { return nil }
            refresh.backoff = pause
            refresh.notBefore = now + pause.length
            return refresh
        }
    }
}
