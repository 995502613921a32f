import TokenProtocol

/// What a failed mint means for those who wait, for the key, and for the next calls.
extension CacheStateMachine {
    /// A failure stands for at least this long: a crowd that was refused together doesn't call again together.
    static var shortestFailure: Double { 0.1 }
    /// And at most for this long: it is not a caller's business to wait for another's failure.
    static var longestFailure: Double { 0.5 }

    mutating func failed(_ call: Call, _ mint: Mint, _ fate: Mint.Fate, _ failure: CallFailure, now: Instant) {
        let retry = retry(mint, fate, failure, call.tenant, now: now)
        let before = tenants[call.tenant]?.governor.blockedUntil(now)
        noteHold(of: call.tenant, failure, now: now)
        noteEnd(of: call, ending(of: failure, call.tenant), now: now)
        noteRefusal(call, mint, failure, now: now)
        // A probe for the client may have become the key's mint meanwhile.
        if let retry, currentCall(of: mint.key) == nil {
            _ = plan(
                mint.key,
                .refresh,
                as: .background(tokenEnds: retry.tokenEnds, urgentFrom: retry.deadline, notBefore: retry.notBefore),
                refresh: retry
            )
        }
        let error = error(for: failure, call.tenant, mint, fate, now: now)
        statistics.failed[error.code, default: 0] += 1
        record(call, mint, .failed(error.code, error.upstream))
        tenants[call.tenant]?.lastError = (error, now)
        settle(call, .error(error))
        paceAnew(call.tenant, before, now: now)
    }

    // MARK: A new secret

    /// Whether a mint that was refused with an old secret is worth sending again with the new one.
    func goesOnceMore(_ call: Call) -> Bool {
        guard let mint = call.mint, !mint.hasTriedNewSecret, tenants[call.tenant]?.isRetired == false else {
            return false
        }
        switch fate(of: call) {
        case .current: return true
        case .superseded: return !call.waiters.isEmpty
        case .revoked: return false
        }
    }

    /// The client's secret was changed after the call went out with the old one: the call goes once more, first in line
    /// where somebody waits for it.
    mutating func tryNewSecret(_ id: CallID, _ call: Call, now: Instant) {
        noteEnd(of: call, .unknown, now: now)
        guard let ticket = tenants[call.tenant]?.governor.enqueue(id, as: .first) else { return }
        calls.update(id) {
            $0.mint?.hasTriedNewSecret = true
            $0.phase = .queued(ticket)
        }
        touch(call.tenant)
        if call.waiters.isEmpty { requeue(id, now: now) }
    }

    // MARK: What callers are told

    /// What callers are told of a failure; where it is the key's present mint that failed, it is remembered, too.
    private mutating func error(
        for failure: CallFailure,
        _ tenant: TenantID,
        _ mint: Mint,
        _ fate: Mint.Fate,
        now: Instant
    ) -> ErrorReply {
        // Where a reload has retired the tenant, whoever asks again asks another one.
        let block = tenants[tenant].flatMap { $0.isRetired ? nil : $0.governor.block(now) }
        let wait = block.map { ($0.until - now).asRetryAfter } ?? 1
        var error: ErrorReply
        switch failure {
        case .denied(let upstream, _):
            error = denied(upstream, mint, fate, now: now)
            error.retryAfter = max(error.retryAfter ?? 1, wait)
            return error
        case .throttled: error = .paced(.throttled, until: block?.until ?? now, now: now)
        case .unavailable(let reason, let code, _):
            error = ErrorReply(.unavailable, reason, retryAfter: wait, cause: code)
        case .malformed(let reason), .rejected(let reason): error = ErrorReply(.badUpstream, reason, retryAfter: wait)
        case .noMemory: error = ErrorReply(.overloaded, "there is no memory left for another token", retryAfter: wait)
        }
        remember(error, mint, fate, now: now)
        return error
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
        changeNegative(mint.key, now: now) { $0.refuse(upstream, first: length, now: now) }
        return negatives[mint.key]?.error(at: now) ?? .denied(upstream, retryAfter: length)
    }

    private mutating func remember(_ error: ErrorReply, _ mint: Mint, _ fate: Mint.Fate, now: Instant) {
        guard fate == .current else { return }
        let length = Self.shortestFailure + draw() * (Self.longestFailure - Self.shortestFailure)
        changeNegative(mint.key, now: now) { $0.fail(error, until: now + .seconds(length)) }
    }

    // MARK: Trying again

    /// How a key whose mint has failed is tried again in the background; nil: it is not.
    ///
    /// It is where its token lives, is due for renewal and in use. After 429 the hold alone says when.
    private mutating func retry(
        _ mint: Mint,
        _ fate: Mint.Fate,
        _ failure: CallFailure,
        _ tenant: TenantID,
        now: Instant
    ) -> Mint.Refresh? {
        guard fate == .current, let entry = store.find(mint.key).flatMap({ store[$0] }),
            now >= life(of: entry).refreshAfter, isInUse(entry, now: now)
        else { return nil }
        var refresh = Mint.Refresh(tokenEnds: entry.life.expiry, deadline: life(of: entry).refreshDeadline)
        switch failure {
        case .denied: return nil
        case .throttled: return refresh
        case .unavailable, .malformed, .rejected, .noMemory:
            let (left, draw) = (entry.life.left(at: now), draw())
            guard
                let pause = tenants[tenant]?.governor.pause(after: mint.refresh?.backoff, left: left, draw: draw)
            else { return nil }
            refresh.backoff = pause
            refresh.notBefore = now + pause.length
            return refresh
        }
    }
}
