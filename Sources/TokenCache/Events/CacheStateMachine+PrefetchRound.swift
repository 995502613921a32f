import DequeModule
import OperatorReplies
import TokenProtocol

/// Rounds through the subjects of the tenants' prefetch files.
///
/// A round's mints go behind everything else, and take no positions of the apps' prefetches. Only a few of them are
/// queued at a time, and the next ones follow as those end.
extension CacheStateMachine {
    /// The number of a round's mints that are queued beyond those that may be under way.
    private static var queuedOfRound: Int { 16 }

    /// Starts a round through subjects, in place of the tenant's present one.
    ///
    /// - Returns: True if the tenant is configured.
    mutating func beginPrefetchRound(
        of tenant: TenantID,
        _ subjects: [String],
        _ scopes: ScopeSet,
        now: Instant
    ) -> Outcome<Bool> {
        guard tenants[tenant]?.isRetired == false else { return finish(false, now) }
        dropRound(of: tenant, now: now)
        let (number, fraction) = (newSerial(), randomFraction())
        tenants[tenant]?.round = PrefetchRound(number, subjects, scopes, jitterFraction: fraction, now: now)
        endRoundIfOver(of: tenant, now: now)
        touch(tenant)
        return finish(true, now)
    }

    /// Ends a tenant's round.
    ///
    /// Mints that are under way go on.
    mutating func endPrefetchRound(of tenant: TenantID, now: Instant) -> CacheActions {
        dropRound(of: tenant, now: now)
        return finish(now)
    }

    /// True if a tenant's round is not over.
    func hasPrefetchRound(of tenant: TenantID) -> Bool { tenants[tenant]?.round != nil }

    private mutating func dropRound(of tenant: TenantID, now: Instant) {
        tenants[tenant]?.round = nil
        for call in tenants[tenant]?.governor.roundCalls ?? Deque() { end(call, .unwanted, now: now) }
    }

    /// True if a mint belongs to its tenant's present round.
    func isOfRound(_ mint: Mint) -> Bool {
        mint.round.map { $0 == tenants[mint.key.user.tenant]?.round?.number } ?? false
    }

    // MARK: Feeding

    /// Adds the work of queueing a round's next mints, if some may be queued now and it isn't there already.
    mutating func feedRound(of tenant: TenantID, now: Instant) {
        guard !isRestoring, let state = tenants[tenant], !state.isRoundFed,
            state.round?.canTake(limit: roundLimit(state), now: now) == true
        else { return }
        tenants[tenant]?.isRoundFed = true
        deferredWork.append(.feedRound(tenant))
    }

    private func roundLimit(_ state: TenantState) -> Int { state.governor.limits.maxConcurrent + Self.queuedOfRound }

    /// Queues the next mints of a round.
    mutating func feedRound(of tenant: TenantID, _ budget: inout Int, now: Instant) -> DeferredWork? {
        while budget > 0 {
            guard let limit = tenants[tenant].map(roundLimit),
                let subject = tenants[tenant]?.round?.take(limit: limit, now: now)
            else {
                tenants[tenant]?.isRoundFed = false
                endRoundIfOver(of: tenant, now: now)
                return nil
            }
            budget -= feed(subject, to: tenant, now: now)
        }
        return .feedRound(tenant)
    }

    /// Queues the mint of a subject, or passes it over.
    ///
    /// - Returns: The cost of the step.
    private mutating func feed(_ subject: String, to tenant: TenantID, now: Instant) -> Int {
        guard let round = tenants[tenant]?.round else { return StepCost.look }
        let user = UserKey(tenant: tenant, user: UserLookup(field: .subject, value: subject))
        let key = TokenKey(user: user, scopes: round.scopes)
        if isCachedOrMinted(key, now: now) {
            skip(\.cached, of: tenant, now: now)
        } else if negatives[key]?.error(at: now)?.code == .denied {
            skip(\.denied, of: tenant, now: now)
        } else if store.count + roundMints >= policy.maxEntries {
            // Another token would have to go for it.
            tenants[tenant]?.round?.giveUp()
            skip(\.failed, of: tenant, now: now)
        } else if calls.mints(of: user).count >= Self.maxMintsPerUser {
            skip(\.failed, of: tenant, now: now)
        } else {
            let mint = Mint(key: key, cause: .prefetch, owner: EntryStore.nobody, round: round.number)
            _ = enqueue(.mint(mint), at: tenant, as: .round, for: nil)
            tenants[tenant]?.round?.queued()
            roundMints += 1
            return StepCost.call
        }
        return StepCost.look
    }

    private func isCachedOrMinted(_ key: TokenKey, now: Instant) -> Bool {
        if currentCall(of: key) != nil { return true }
        guard let entry = store.find(key).flatMap({ store[$0] }) else { return false }
        if case .mint = entry.life.verdict(at: now, minTTL: nil) { return false }
        return true
    }

    private mutating func skip(
        _ reason: WritableKeyPath<StatsReply.Tenant.Prefetch, Int>,
        of tenant: TenantID,
        now: Instant
    ) {
        let fraction = randomFraction()
        tenants[tenant]?.round?.skipped(reason, fraction, now: now)
    }

    // MARK: Ends

    /// Records the end of a mint that a round has queued.
    mutating func noteRoundEnd(of call: Call, _ mint: Mint, _ fate: Mint.Fate, _ reason: CallEnd, now: Instant) {
        guard mint.round != nil else { return }
        roundMints -= 1
        guard isOfRound(mint) else { return }
        let (tenant, fraction) = (call.tenant, randomFraction())
        let subject = String(decoding: mint.key.user.user.value, as: UTF8.self)
        tenants[tenant]?.round?.ended(subject, Self.end(of: fate, reason), fraction, now: now)
        endRoundIfOver(of: tenant, now: now)
    }

    private static func end(of fate: Mint.Fate, _ reason: CallEnd) -> PrefetchRound.End {
        if case .revoked = fate { return .loggedOut }
        switch reason {
        case .minted, .found: return fate == .current ? .minted : .failed
        case .failed(.denied), .refused: return .denied
        case .loggedOut: return .loggedOut
        case .failed, .unwanted, .expired, .overLimit, .retired, .shutDown, .revocation, .api, .kept: return .failed
        }
    }

    private mutating func endRoundIfOver(of tenant: TenantID, now: Instant) {
        guard let round = tenants[tenant]?.round, round.isOver else { return }
        tenants[tenant]?.round = nil
        tenants[tenant]?.lastRound = round.progress
        actions.notices.append(.prefetched(tenant.name, round.progress, now - round.started))
    }
}
