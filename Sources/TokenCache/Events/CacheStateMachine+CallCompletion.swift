import Secrets
import TokenProtocol
import TokenStorage

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// The completion of calls.
extension CacheStateMachine {
    /// Completes a call that minted a token or failed to.
    ///
    /// - Parameters:
    ///   - now: The time from which the token's life is computed.
    ///   - wall: The wall-clock time, for display.
    package mutating func ended(_ id: CallID, _ result: MintOutcome, now: Instant, wall: Date) -> CacheActions {
        guard let call = calls[id], let mint = call.mint, let sent = call.sent else { return finish(now) }
        statistics.recordMint(now - sent)
        switch result {
        case .minted(let token, let scope, let lifetime):
            let life = newLife(sent: sent, lifetime: lifetime ?? policy.defaultLifetime)
            guard life.left(at: now) >= TokenLife.minServed else {
                end(id, .failed(CallFailure.expiredOnArrival), now: now)
                break
            }
            let ends = wall.addingTimeInterval(life.left(at: now).inSeconds).timeIntervalSince1970
            let granted = GrantedToken(
                token,
                scope: scope ?? mint.key.scopes.text,
                expiresAt: WallTime(seconds: UInt32(clamping: Int(ends.rounded(.down))))
            )
            let minted = storedIfCurrent(granted, life, call, mint, mint.fleet.fence, now: now)
            end(id, minted.map { .minted($0) } ?? .failed(.noMemory), now: now)
        case .failed(.denied(_, secretChanged: true)) where canRetryWithNewSecret(call):
            retryWithNewSecret(id, call, now: now)
        case .failed(.denied) where canRetryNewUser(call, now: now): pause(id, call, now: now)
        case .failed(let failure): end(id, .failed(failure), now: now)
        }
        return finish(now)
    }

    /// Completes a call that revoked a token or failed to.
    package mutating func revocationEnded(_ id: CallID, _ result: RevocationOutcome, now: Instant) -> CacheActions {
        if calls[id]?.sent != nil { end(id, .revocation(result), now: now) }
        return finish(now)
    }

    /// Ends a call for any reason.
    ///
    /// This is the only place that ends calls and informs everyone concerned.
    mutating func end(_ id: CallID, _ reason: CallEnd, now: Instant) {
        guard let call = calls[id] else { return }
        // The fate depends on the table, so it is read before the call is removed.
        let fate = fate(of: call)
        calls.remove(id)
        touch(call.tenant)
        switch call.phase {
        case .queued(let ticket): tenants[call.tenant]?[call.tier].withdraw(ticket)
        case .pausing(let timer): retries.remove(timer)
        case .claiming(let started): tenants[call.tenant]?.governor.undo(id, started, now: now)
        case .yielding(let timer): fleet.removeTimer(timer)
        case .sent: break
        }
        switch call.work {
        case .mint(let mint):
            end(call, mint, fate, reason, now: now)
            endLease(of: call, mint, fate, reason, now: now)
            noteRoundEnd(of: call, mint, fate, reason, now: now)
        case .revocation(let revocation): end(call, revocation, reason, now: now)
        case .api(let work): end(call, work, reason, now: now)
        }
    }

    // MARK: Mints

    private mutating func end(_ call: Call, _ mint: Mint, _ fate: Mint.Fate, _ reason: CallEnd, now: Instant) {
        switch reason {
        case .minted(let minted): succeeded(call, mint, fate, minted, now: now)
        case .found(let minted):
            if fate == .current { cache(minted, mint, now: now) }
            complete(call, .token(minted.token, minted.life, .fleet))
        case .refused(let refusal): refused(call, mint, fate, refusal, now: now)
        case .kept(let token, let life): complete(call, .token(token, life, .cache))
        case .failed(let failure): failed(call, mint, fate, failure, now: now)
        case .unwanted, .expired, .overLimit:
            if mint.refresh != nil { statistics.skippedIdle += 1 }
            probeLost(call, wasSent: false, now: now)
        case .loggedOut:
            complete(call, .error(.revokedMeanwhile))
            probeLost(call, wasSent: false, now: now)
        case .retired(let error): complete(call, .error(error))
        case .shutDown, .revocation, .api: break
        }
    }

    private mutating func succeeded(
        _ call: Call,
        _ mint: Mint,
        _ fate: Mint.Fate,
        _ minted: MintedToken,
        now: Instant
    ) {
        tenants[call.tenant]?.lastSuccess = now
        noteEnd(of: call, .success, now: now)
        if mint.key.user.isClient {
            noteClient(mint.key, fate, nil, now: now)
        } else {
            noteAcceptance(call, mint, fate, now: now)
        }
        record(call, mint, .minted(granted: minted.token.scope, minted.token.fingerprint), now: now)
        switch fate {
        case .current: cache(minted, mint, now: now)
        case .superseded: break
        case .revoked(let peer):
            enqueueRevocation(of: minted.token, mint.key, until: minted.life.expiry, as: nil, for: peer, now: now)
        }
        complete(call, .token(minted.token, minted.life, .tenant))
    }

    /// Queues the replies to the requests that wait for a mint.
    mutating func complete(_ call: Call, _ result: Completions.Result) {
        guard let mint = call.mint else { return }
        completions.add(call.id, .init(key: mint.key, result: result, waiters: call.waiters))
    }

    /// Counts the end of a sent mint, and records it in the audit trail and in the log.
    ///
    /// - Parameter error: The error for those who waited, or nil if a token was minted.
    mutating func record(
        _ call: Call,
        _ mint: Mint,
        _ end: AuditRecord.MintEnd,
        _ error: ErrorReply? = nil,
        now: Instant
    ) {
        statistics.calls.change(call.tenant) { $0.count(mint.cause, end.error) }
        let trace = call.traces.record
        actions.records.append(AuditRecord(call.peer, .mint(mint.key, mint.cause, end), trace: trace))
        let duration = now - (call.sent ?? now)
        let report = MintReport(
            tenant: call.tenant.name,
            cause: mint.cause,
            error: error,
            duration: duration,
            trace: trace
        )
        actions.notices.append(.minted(report))
    }

    /// Stores a token that is to be cached.
    ///
    /// Returns nil if there is no memory left for it.
    ///
    /// - Parameters:
    ///   - fence: The fence of its mint.
    ///   - isVerified: True if it was found in the second level just now.
    mutating func storedIfCurrent(
        _ token: GrantedToken,
        _ life: TokenLife,
        _ call: Call,
        _ mint: Mint,
        _ fence: FleetFence,
        isVerified: Bool = false,
        now: Instant
    ) -> MintedToken? {
        let (key, clock) = (mint.key, store.memory.clock)
        guard case .current = fate(of: call), let identity = identity(of: key.user) else {
            return MintedToken(token: token, life: life, record: .none)
        }
        let before = store.find(key).flatMap { store[$0]?.lastUsed }
        let lastUsed = [mint.requestedAt, before].compactMap(\.self).max()
        let record = store.memory.storage.insert(
            NewToken(
                user: key.user.user,
                tokenClass: TokenClass(
                    tenant: key.user.tenant.name,
                    host: identity.host,
                    clientID: identity.clientID,
                    scopes: key.scopes.text,
                    grantedScope: token.scope
                ),
                token: token.accessToken,
                fingerprint: token.fingerprint,
                sent: clock.nanoseconds(of: life.sent),
                arrived: clock.nanoseconds(of: now),
                lastUsed: lastUsed.map(clock.nanoseconds) ?? TokenRecord.never,
                lifetime: life.lifetime.wholeNanoseconds,
                jitter: life.jitter,
                expiresAt: token.expiresAt.seconds,
                isUnrequested: mint.isUnrequested && mint.requestedAt == nil,
                replacedReported: negatives[key]?.report != nil,
                owner: mint.owner,
                fence: fence.number
            )
        )
        if let record { store.note(record, isVerified: isVerified) }
        if record != nil, fence > .none { fleet[key.user.tenant].noteCached(fence) }
        return record.map { MintedToken(token: token, life: life, record: $0) }
    }

    /// Returns the life of a new token, which its record keeps exactly.
    mutating func newLife(sent: Instant, lifetime: Duration) -> TokenLife {
        store.newLife(sent: store.memory.clock.asKept(sent), lifetime: lifetime, jitter: randomJitter())
    }

    private mutating func cache(_ minted: MintedToken, _ mint: Mint, now: Instant) {
        let key = mint.key
        guard minted.record != .none else { return }
        negatives.forget(key)
        if mint.refresh != nil {
            let before = store.find(key).flatMap { store[$0] }
            statistics.refreshDone(isLate: before.map { !$0.life.isServable(at: now) } ?? true)
        }
        statistics.evictions.capacity += store.put(minted.record, key, for: mint.owner).surplus
        enforceEntryLimit(now: now)
    }

    // MARK: Revocations

    private mutating func end(_ call: Call, _ revocation: Revocation, _ reason: CallEnd, now: Instant) {
        revocationEnds.remove(revocation.timer)
        let outcome: AuditRecord.RevocationEnd
        switch reason {
        case .revocation(let result):
            outcome = result == .accepted ? .revoked : .failed
            let before = tenants[call.tenant]?.governor.blockedUntil(now)
            switch result {
            case .accepted: noteEnd(of: call, .success, now: now)
            case .denied: noteEnd(of: call, .answer, now: now)
            case .failed(let failure):
                noteHold(of: call.tenant, .tokens, failure, now: now)
                noteFailure(of: call.tenant, .tokens, failure, now: now)
                noteEnd(of: call, ending(of: failure, call), now: now)
            }
            recheckDeadlines(call.tenant, .tokens, before, now: now)
        case .expired, .unwanted: outcome = .expired
        case .overLimit, .retired, .shutDown, .loggedOut, .minted, .found, .refused, .kept, .failed, .api:
            outcome = .dropped
        }
        record(call.peer, revocation, outcome, call.traces)
        answer(revocation.logout, call.id, isTaken: outcome == .revoked, now: now)
    }

    /// Counts and records the end of a revocation.
    mutating func record(
        _ peer: Peer?,
        _ revocation: Revocation,
        _ outcome: AuditRecord.RevocationEnd,
        _ traces: CallTraces
    ) {
        statistics.calls.change(revocation.user.tenant) { $0.count(outcome) }
        actions.records.append(
            AuditRecord(
                peer,
                .revocation(revocation.user, revocation.scopes, revocation.token.fingerprint, outcome),
                trace: traces.record
            )
        )
    }

    /// Completes one of the revocations of a logout.
    private mutating func answer(_ logout: Waiters.ID?, _ call: CallID, isTaken: Bool, now: Instant) {
        guard let logout, case .logout(var state)? = waiters[logout]?.goal else { return }
        state.open.removeAll { $0 == call }
        state.allTaken = state.allTaken && isTaken
        update(logout, state)
    }
}
