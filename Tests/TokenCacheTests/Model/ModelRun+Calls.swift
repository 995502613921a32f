import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// The ends of calls and their consequences.
extension ModelRun {
    /// Completes one of the calls under way.
    func reply() throws {
        let open = calls.filter(\.isSent)
        guard !open.isEmpty else { return }
        try reply(to: random.pick(open))
    }

    /// Completes a call as its tenant behaves.
    func reply(to call: ModelCall) throws {
        if let key = call.key {
            try mintEnded(call, key, answer(to: call))
        } else if let token = call.token {
            try revocationEnded(call, token, answer(toRevocation: call))
        }
    }

    // MARK: The tenant's answers

    private func answer(to call: ModelCall) -> MintOutcome {
        let lifetime = random.pick(isResting ? [.seconds(600), .seconds(21_600)] : Self.lifetimes)
        let success = MintOutcome.minted(newToken(), scope: random.pick([nil, nil, "granted"]), lifetime: lifetime)
        switch call.tenant.behaviour {
        case .well: return success
        case .flapping where random.once(in: 2): return success
        case .down, .flapping: return .failed(fault())
        case .throttling: return .failed(.throttled(retryAfter: random.pick(Self.holds)))
        case .rejecting: return .failed(.rejected("409"))
        case .denying:
            let status = random.pick([401, 401, 401, 401, 403, 404])
            let secretChanged = status == 401 && random.once(in: 10)
            return .failed(.denied(ErrorReply.Upstream(status: status), secretChanged: secretChanged))
        }
    }

    private func answer(toRevocation call: ModelCall) -> RevocationOutcome {
        switch call.tenant.behaviour {
        case .well: .accepted
        case .flapping where random.once(in: 2): .accepted
        case .down, .flapping: .failed(fault())
        case .throttling: .failed(.throttled(retryAfter: random.pick(Self.holds)))
        // A denial of users says nothing of the client.
        case .denying: random.pick([.accepted, .denied])
        case .rejecting: random.pick([.denied, .failed(.rejected("409"))])
        }
    }

    private static let lifetimes: [Duration?] = [
        nil, .milliseconds(500), .seconds(1), .seconds(2), .seconds(5), .seconds(15), .seconds(20), .seconds(20),
        .seconds(600), .seconds(600), .seconds(600), .seconds(21_600), .seconds(21_600), .seconds(100_000),
    ]
    private static let holds: [Duration?] = [nil, .zero, .seconds(1), .seconds(30), .seconds(30), .seconds(7_200)]

    private func fault() -> CallFailure {
        random.pick([
            .unavailable("down", retryAfter: nil), .unavailable("down", retryAfter: nil), .malformed("not JSON"),
            .unavailable("down", retryAfter: .usable(.seconds(3))), .unavailable("down", retryAfter: .unusable),
        ])
    }

    // MARK: Mints

    func mintEnded(_ call: ModelCall, _ key: ModelKey, _ result: MintOutcome) throws {
        guard let id = call.id, let sent = call.sent?.asKept else { return }
        trace("\(call) ends: \(result)")
        begin(machine.ended(id, result, now: now, wall: Self.wall))
        noteRound(of: call, result, sent: sent)
        switch result {
        case .minted(let text, let scope, let lifetime):
            let token = ModelToken(text, call, key, sent: sent, lifetime: lifetime ?? policy.defaultLifetime)
            guard token.left(at: now) >= .seconds(1) else {
                try failed(call, key, .malformed("spent on arrival"))
                break
            }
            tokens[token.fingerprint] = token
            try minted(call, key, token, granted: scope ?? key.key.scopes.text)
        case .failed(.denied(_, secretChanged: true)) where canRetryWithNewSecret(call): sendOnceMore(call)
        case .failed(let failure): try failed(call, key, failure)
        }
        try finish()
    }

    private func noteRound(of call: ModelCall, _ result: MintOutcome, sent: Instant) {
        guard call.isOfRound, call.fate != .revoked else { return }
        if case .minted(_, _, let lifetime) = result {
            let left = sent + (lifetime ?? policy.defaultLifetime) - now
            if left < .seconds(1) { return }
        }
        if case .failed(.denied(_, secretChanged: true)) = result, canRetryWithNewSecret(call) { return }
        call.round?.ended(result, isCurrent: call.fate == .current)
    }

    private func minted(_ call: ModelCall, _ key: ModelKey, _ token: ModelToken, granted: String) throws {
        let fate = call.fate
        remove(call)
        counters.succeeded += 1
        try noteEnd(of: call, .success)
        if key.key.user.isClient {
            noteClient(key, fate, nil)
        } else {
            try noteAcceptance(by: call.tenant, of: fate == .current ? key : nil)
        }
        try takeRecord(of: call, key, .minted(granted: granted, token.fingerprint))
        switch fate {
        case .current: try cache(token, call, key)
        case .superseded:
            token.isDropped = true
            tally.note(.oldGenerationCameBack)
        case .revoked: revokeLate(token, call)
        }
        complete(call, .token(token))
    }

    private func cache(_ token: ModelToken, _ call: ModelCall, _ key: ModelKey) throws {
        let wasReported = key.negative?.report != nil
        key.negative = nil
        let before = key.entry
        if call.refresh != nil {
            counters.refreshesDone += 1
            counters.refreshesLate += before?.isServable(at: now) ?? false ? 0 : 1
        }
        guard let drawn = machine.store.find(key.key).flatMap({ machine.store[$0] })?.life.jitterFraction else {
            // A cache that is full of other users' tokens may have had no space for it.
            guard entryCount >= policy.maxEntries else { throw violated("a new token was not cached") }
            return put(token, call, key, before, 0.5, wasReported)
        }
        guard (0..<1).contains(drawn) else { throw violated("a token's jitterFraction is \(drawn)") }
        put(token, call, key, before, drawn, wasReported)
    }

    private func put(
        _ token: ModelToken,
        _ call: ModelCall,
        _ key: ModelKey,
        _ before: ModelEntry?,
        _ jitterFraction: Double,
        _ wasReported: Bool
    ) {
        let entry = ModelEntry(
            token,
            jitterFraction: jitterFraction,
            arrived: now,
            lastUsed: [call.requestedAt, before?.lastUsed].compactMap(\.self).max(),
            isUnrequested: call.isUnrequested && call.requestedAt == nil,
            replacedReported: wasReported,
            owner: before?.owner ?? call.owner,
            policy: policy
        )
        (entry.challenger, entry.use) = (before?.challenger, before?.use ?? newUse())
        before?.token.isDropped = true
        key.entry = entry
    }

    /// Revokes a token whose user has logged out since its request.
    ///
    /// Nobody waits for that.
    private func revokeLate(_ token: ModelToken, _ call: ModelCall) {
        guard let peer = call.revokedFor else { return }
        token.isRevoked = true
        token.isDropped = true
        tally.note(.tokenRevokedOnArrival)
        _ = enqueueRevocation(of: token, at: call.tenant, for: peer, as: .background)
    }

    /// Queues the revocation of a token.
    ///
    /// If the tenant isn't configured any more, it only ends in the audit trail.
    func enqueueRevocation(
        of token: ModelToken,
        at tenant: ModelTenant,
        for peer: PeerUID,
        as position: ModelCall.Position
    ) -> ModelCall {
        let call = ModelCall(revoking: token, at: tenant, for: peer)
        revocations[token.fingerprint] = call
        if !tenant.isRetired { enqueue(call, as: position) }
        return call
    }

    // MARK: A new secret

    private func canRetryWithNewSecret(_ call: ModelCall) -> Bool {
        guard !call.hasTriedNewSecret, !call.tenant.isRetired else { return false }
        switch call.fate {
        case .current: return true
        case .superseded: return call.isAwaited
        case .revoked: return false
        }
    }

    private func sendOnceMore(_ call: ModelCall) {
        sentOnceMore += 1
        call.tenant.underWay -= 1
        // It has no result. Its end only means that it is no longer the probe of the circuit.
        _ = call.tenant.circuit.ended(call, .unknown, now: now)
        call.hasTriedNewSecret = true
        call.readiness = .surely
        let position = call.isAwaited ? ModelCall.Position.first : call.positionAlone
        if let notBefore = call.refresh?.notBefore {
            call.readiness = notBefore > now && !call.tenant.isBack ? .no : .perhaps
        }
        call.tenant.enqueue(call, as: position)
    }

    // MARK: Failures

    private func failed(_ call: ModelCall, _ key: ModelKey, _ failure: CallFailure) throws {
        let (tenant, fate) = (call.tenant, call.fate)
        remove(call)
        let retry = retry(of: call, key, fate, failure)
        let before = tenant.block(now)
        try noteHold(of: tenant, failure)
        try noteEnd(of: call, ending(of: failure, call))
        if key.key.user.isClient { noteClient(key, fate, failure) } else { try noteDenial(of: call, key, failure) }
        // A probe may have become the key's mint.
        if let retry, key.current == nil { enqueue(retry, as: .background) }
        let error = try remember(failure, key, fate)
        counters.failed[error.code.rawValue, default: 0] += 1
        let upstream: ErrorReply.Upstream? = if case .denied(let upstream, _) = failure { upstream } else { nil }
        try takeRecord(of: call, key, .failed(error.code, upstream))
        complete(call, .error(error))
        if let block = tenant.block(now), block != before, !tenant.isRetired { tenant.pace() }
    }

    /// Returns the retry of a key whose mint has failed, if its token is valid, due and in use.
    private func retry(
        of call: ModelCall,
        _ key: ModelKey,
        _ fate: ModelCall.Fate,
        _ failure: CallFailure
    ) -> ModelCall? {
        guard fate == .current, let entry = key.entry, now >= entry.refreshAfter, entry.isInUse(at: now, policy)
        else { return nil }
        if case .denied = failure { return nil }
        let isThrottled = if case .throttled = failure { true } else { false }
        let retry = ModelCall(key, .refresh, for: nil)
        retry.isRetry = true
        retry.refresh = .init(tokenEnds: entry.token.expiry, deadline: entry.refreshDeadline)
        // After a 429 only the hold delays it.
        retry.refresh?.pause = isThrottled ? nil : call.refresh?.pause
        return retry
    }

    /// Returns the error for a failure, and remembers it if the key's current mint failed.
    private func remember(_ failure: CallFailure, _ key: ModelKey, _ fate: ModelCall.Fate) throws -> ModelError {
        // A retry after a reload goes to another tenant, of which this one's hold says nothing.
        let block = key.tenant.isRetired ? nil : key.tenant.block(now)
        let wait = block.map { $0 - now } ?? .seconds(1)
        switch failure {
        case .denied(let upstream, _):
            guard policy.negativeTTL > .zero, fate == .current else {
                try remember(ModelError(code: .denied, wait: .seconds(1)), key, fate)
                return ModelError(code: .denied, wait: max(wait, .seconds(1)))
            }
            let length = deny(key, upstream.status)
            // A small cache may forget it at once, as the entry that would be forgotten soonest.
            let isRemembered = machine.negatives[key.key] != nil
            return ModelError(code: .denied, wait: isRemembered ? max(wait, length) : nil)
        case .throttled: return try remember(ModelError(code: .rateLimited, wait: wait), key, fate)
        case .unavailable: return try remember(ModelError(code: .unavailable, wait: wait), key, fate)
        case .malformed, .rejected: return try remember(ModelError(code: .badUpstream, wait: wait), key, fate)
        case .noMemory: return try remember(ModelError(code: .overloaded, wait: wait), key, fate)
        }
    }

    @discardableResult
    private func remember(_ error: ModelError, _ key: ModelKey, _ fate: ModelCall.Fate) throws -> ModelError {
        guard fate == .current else { return error }
        guard let failure = machine.negatives[key.key]?.recentFailure else {
            // A small cache may forget it at once, as the entry that would be forgotten soonest.
            guard policy.maxEntries < 2 * keys.count else { throw violated("a failure was not remembered") }
            change(key) { _ in }
            return error
        }
        let length = failure.until - now
        guard length >= .milliseconds(100), length <= .milliseconds(500) else {
            throw violated("a failure is remembered for \(length)")
        }
        change(key) {
            $0.failure = (failure.until, error)
            $0.forgetAt = max($0.forgetAt, failure.until)
        }
        return error
    }

    /// Records a denied user: each consecutive time lasts twice as long, up to five minutes.
    private func deny(_ key: ModelKey, _ status: Int) -> Duration {
        let last = key.negative?.denial?.length
        let length = last.map { min($0 * 2, .seconds(300)) } ?? policy.negativeTTL
        change(key) {
            $0.denial = (now + length, length, status)
            $0.forgetAt = max($0.forgetAt, now + length + .seconds(300))
        }
        return length
    }

    // MARK: Revocations

    private func revocationEnded(_ call: ModelCall, _ token: ModelToken, _ result: RevocationOutcome) throws {
        guard let id = call.id else { return }
        let tenant = call.tenant
        trace("\(call) ends: \(result)")
        begin(machine.revocationEnded(id, result, now: now))
        remove(call)
        let before = tenant.block(now)
        switch result {
        case .accepted: try noteEnd(of: call, .success)
        case .denied: try noteEnd(of: call, .answer)
        case .failed(let failure):
            try noteHold(of: tenant, failure)
            try noteEnd(of: call, ending(of: failure, call))
        }
        if let block = tenant.block(now), block != before, !tenant.isRetired { tenant.pace() }
        try takeRecord(of: call, token, result == .accepted ? .revoked : .failed)
        answerLogout(call, isTaken: result == .accepted)
        try finish()
    }

    private func takeRecord(of call: ModelCall, _ token: ModelToken, _ end: AuditRecord.RevocationEnd) throws {
        revocations[token.fingerprint] = nil
        let (user, scopes) = (token.key.key.user, token.key.key.scopes)
        let act = AuditRecord.Act.revocation(user, scopes, token.fingerprint, end)
        let record = AuditRecord(call.peer.map(Self.peer), act, trace: call.traces.record)
        guard let index = event.records.firstIndex(of: record) else {
            throw violated("the end of a revocation is not in the audit trail")
        }
        event.records.remove(at: index)
        tally.note(end == .revoked ? .revoked : .revocationFailed)
    }
}
