package import Secrets
package import TokenProtocol

/// Reports of rejected tokens, evictions and flushes.
extension CacheStateMachine {
    /// The time in which a token that replaced a reported one can't be reported.
    ///
    /// Late reports mean the old token.
    static var reportGrace: Duration { .seconds(10) }

    /// Drops a token that an API has rejected.
    package mutating func invalidate(
        _ key: TokenKey,
        _ fingerprint: Fingerprint,
        now: Instant
    ) -> Outcome<InvalidateAnswer> {
        finish(report(key, fingerprint, now: now), now)
    }

    /// Handles the report of a rejected token, by `invalidate` or together with a request for another one.
    mutating func report(_ key: TokenKey, _ fingerprint: Fingerprint, now: Instant) -> InvalidateAnswer {
        guard let slot = store.find(key), let entry = store[slot], store.hasToken(slot, fingerprint) else {
            restoration.add(.report(key.scopes, fingerprint), for: key.user)
            dropInFleet(.reported(key, fingerprint), .eviction, isRemembered: false, now: now)
            // The answer to a look that is under way may be this very token.
            if let call = currentCall(of: key) { calls.update(call) { $0.mint?.fleet.rejected = fingerprint } }
            return .unknown
        }
        let age = now - entry.life.sent
        if entry.replacedReported, age < Self.reportGrace {
            return .tooYoung(retryAfter: (Self.reportGrace - age).asRetryAfter)
        }
        store.remove(slot)
        statistics.evictions.invalidated += 1
        if let call = currentCall(of: key) { supersede(call, now: now) }
        changeNegative(key, now: now) { $0.noteReport(of: entry.fence, now: now) }
        dropInFleet(.reported(key, fingerprint), .eviction, now: now)
        return .dropped
    }

    // MARK: Operators

    /// Drops a user's tokens at an operator's request.
    package mutating func evict(_ user: UserKey, scopes: ScopeSet?, now: Instant) -> CacheActions {
        tenants[user.tenant]?.client.forget(user)
        statistics.evictions.evicted += drop(user, scopes: scopes).count
        restoration.add(.evict(scopes), for: user)
        for id in calls.mints(of: user) {
            guard let call = calls[id], let mint = call.mint, scopes ?? mint.key.scopes == mint.key.scopes,
                mint.fate == .current
            else { continue }
            supersede(id, now: now)
        }
        negatives.forget(user, scopes: scopes)
        provisioned.forget(user)
        provisioning.doNotRemember(user)
        dropInFleet(.user(user, scopes), .eviction, now: now)
        return finish(now)
    }

    /// Drops all tokens of a tenant, or of all, at an operator's request.
    ///
    /// - Returns: The number of dropped tokens.
    package mutating func flush(tenant: TenantID?, now: Instant) -> Outcome<Int> {
        let flushed = tenant.map { [$0] } ?? configured
        let count = flushed.reduce(0) { $0 + flush($1) }
        for tenant in flushed { dropInFleet(.tenant(tenant), .eviction, now: now) }
        return finish(count, now)
    }

    /// Raises the generation of all of a tenant's keys.
    ///
    /// Their memory is freed in slices.
    mutating func flush(_ tenant: TenantID) -> Int {
        let count = store.flush(tenant, upTo: lastSerial)
        restoration.flush(tenant)
        negatives.flush(tenant, upTo: lastSerial)
        statistics.evictions.flushed += count
        add(.flush(FlushSweep(tenant, upTo: lastSerial)))
        forgetProvisions(of: tenant)
        return count
    }

    /// Removes a user's entries, or those with these scopes, and returns them.
    mutating func drop(_ user: UserKey, scopes: ScopeSet?) -> [Entry] {
        let entries = entries(of: user, scopes: scopes)
        for entry in entries { store.remove(entry.slot) }
        return entries
    }

    func entries(of user: UserKey, scopes: ScopeSet?) -> [Entry] {
        store.find(allOf: user).compactMap { store[$0] }.filter { scopes ?? $0.key.scopes == $0.key.scopes }
    }

    /// Removes a user's entries, or those with these scopes, and returns their tokens, for their revocation.
    mutating func takeTokens(_ user: UserKey, scopes: ScopeSet?) -> [DroppedToken] {
        entries(of: user, scopes: scopes).map { entry in
            defer { store.remove(entry.slot) }
            return DroppedToken(key: entry.key, token: store.token(of: entry.slot), expiry: entry.life.expiry)
        }
    }
}
