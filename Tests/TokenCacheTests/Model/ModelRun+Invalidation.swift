import Secrets
import TokenProtocol

@testable import TokenCache

/// Reports, logouts, evictions and flushes, which make tokens void.
extension ModelRun {
    // MARK: Reports

    /// Reports a token that an API has rejected.
    func invalidate(_ key: ModelKey, _ fingerprint: Fingerprint) throws {
        let answer = begin(machine.invalidate(key.key, fingerprint, now: now))
        let expected = report(key, fingerprint)
        trace("\(key) is reported: \(answer)")
        guard answer == expected else { throw violated("a report was answered \(answer), not \(expected)") }
        try finish()
    }

    /// Records a report, by `invalidate` or together with a request, and returns the answer.
    func report(_ key: ModelKey, _ fingerprint: Fingerprint) -> InvalidateAnswer {
        let answer = reported(key, fingerprint)
        guard answer == .dropped else { return answer }
        drop(key, as: "invalidated")
        raise(key)
        if let call = key.current { supersede(call, key) }
        change(key) {
            $0.report = .unpaid
            $0.forgetAt = max($0.forgetAt, now + .seconds(600))
        }
        return answer
    }

    private func reported(_ key: ModelKey, _ fingerprint: Fingerprint) -> InvalidateAnswer {
        guard let entry = key.entry, entry.token.fingerprint == fingerprint else { return .unknown }
        let age = now - entry.token.sent
        guard entry.replacedReported, age < .seconds(10) else { return .dropped }
        return .tooYoung(retryAfter: (.seconds(10) - age).asRetryAfter)
    }

    // MARK: Logouts

    func logOut(_ user: UserKey, scopes: ScopeSet?, for peer: PeerUID) throws {
        let (name, context) = (newWaiter(), newTrace())
        let answer = begin(
            machine.revoke(user, scopes: scopes, waiter: name, for: Self.peer(peer), in: context, now: now)
        )
        trace("\(peer) logs out \(String(decoding: user.user.value, as: UTF8.self)), \(scopes?.text ?? "all")")
        guard let tenant = tenants.first(where: { $0.id == user.tenant }) else { return }
        tenant.client.forget(user)
        for other in tenants where other === tenant || other.isRetired && other.id.name == tenant.id.name {
            endMints(of: UserKey(tenant: other.id, user: user.user), scopes, at: other, for: peer)
        }
        let keys = tenant.keys.filter { $0.belongs(to: user, scopes) }
        let dropped = keys.compactMap(\.entry).map(\.token)
        for key in keys {
            raise(key)
            drop(key, as: "revoked")
        }
        // None of the user's tokens may be served any more.
        for token in tokens.values where isMeant(token, user, scopes, tenant) { token.isRevoked = true }
        for waiter in waiters.values {
            guard case .token(let token) = waiter.outcome, token.isRevoked else { continue }
            tally.note(.loggedOutBeforeReply)
            waiter.outcome = .error(ModelError(code: .unavailable, wait: .seconds(1)))
        }
        try revoke(dropped, at: tenant, for: peer, in: context, answer, name)
        try finish()
    }

    private func isMeant(_ token: ModelToken, _ user: UserKey, _ scopes: ScopeSet?, _ tenant: ModelTenant) -> Bool {
        let (own, other) = (token.key.key, token.key.tenant)
        guard own.user.user == user.user, scopes ?? own.scopes == own.scopes else { return false }
        return other === tenant || other.isRetired && other.id.name == tenant.id.name
    }

    private func revoke(
        _ dropped: [ModelToken],
        at tenant: ModelTenant,
        for peer: PeerUID,
        in context: TraceContext?,
        _ answer: Reply?,
        _ name: Waiter
    ) throws {
        if dropped.isEmpty {
            guard answer == .revoked(false, upstream: nil) else { throw violated("there was nothing to revoke") }
            return
        }
        let deadline = now + .seconds(10)
        let earliest = tenant.earliest(of: nil, for: peer, behind: dropped.count - 1, now: now)
        let waits = answer == nil
        if waits {
            if earliest > deadline + Self.tolerance { throw violated("a logout waits though it can't be done in time") }
        } else {
            guard answer == .revoked(true, upstream: false) else { throw violated("a logout got another answer") }
            tally.note(.logoutWaitedInVain)
            if earliest + Self.tolerance < deadline {
                throw violated("a logout doesn't wait though it could be done in time")
            }
        }
        let calls = order(dropped).map {
            enqueueRevocation(of: $0, at: tenant, for: peer, as: waits ? .caller(peer) : .background)
        }
        for call in calls { call.traces.add(context, waits: false) }
        if waits { wait(for: calls, at: tenant, peer, name, until: deadline) }
    }

    /// The order in which the cache has queued the revocations of a logout, which no rule determines.
    private func order(_ dropped: [ModelToken]) -> [ModelToken] {
        var queued: [(CallID, Fingerprint)] = []
        for call in survey().new {
            if let revocation = call.revocation { queued.append((call.id, revocation.token.fingerprint)) }
        }
        let order = queued.map(\.1)
        // A token that has expired may have had its revocation queued and dropped in the same event.
        return dropped.sorted { left, right in
            (order.firstIndex(of: left.fingerprint) ?? -1) < (order.firstIndex(of: right.fingerprint) ?? -1)
        }
    }

    private func wait(
        for calls: [ModelCall],
        at tenant: ModelTenant,
        _ peer: PeerUID,
        _ name: Waiter,
        until deadline: Instant
    ) {
        tally.note(.logoutWaited)
        let waiter = ModelWaiter(name, at: tenant, for: peer, until: deadline)
        waiter.open = calls
        for call in calls { call.logout = waiter }
        if calls.count == 1, let call = calls.first {
            waiter.forecast = tenant.forecast(for: call, until: deadline, now: now)
        }
        add(waiter)
    }

    /// Ends the mints of a user who logs out: the waiters get an error, and tokens of mints under way are revoked on
    /// arrival.
    private func endMints(of user: UserKey, _ scopes: ScopeSet?, at tenant: ModelTenant, for peer: PeerUID) {
        // The cache goes through them from the last to the first.
        for call in calls.reversed() {
            guard let key = call.key, key.belongs(to: user, scopes), calls.contains(where: { $0 === call }) else {
                continue
            }
            complete(call, .error(ModelError(code: .unavailable, wait: .seconds(1))))
            if call.isSent {
                call.revokedFor = peer
                if key.current === call { key.current = nil }
            } else {
                remove(call)
                lost(call, wasSent: false)
            }
        }
    }

    // MARK: Operators

    func evict(_ user: UserKey, scopes: ScopeSet?) throws {
        trace("evicts \(String(decoding: user.user.value, as: UTF8.self)), \(scopes?.text ?? "all")")
        begin(machine.evict(user, scopes: scopes, now: now))
        guard let tenant = tenants.first(where: { $0.id == user.tenant }) else { return }
        tenant.client.forget(user)
        for key in tenant.keys where key.belongs(to: user, scopes) {
            drop(key, as: "evicted")
            raise(key)
        }
        for call in calls.reversed() {
            guard let key = call.key, key.belongs(to: user, scopes), call.fate == .current else { continue }
            supersede(call, key)
        }
        for key in tenant.keys where key.belongs(to: user, scopes) { key.negative = nil }
        try finish()
    }

    /// Drops all that belongs to a client that a reload has removed or given another id.
    ///
    /// Nobody gets its tokens any more, also those that are under way.
    func retire(_ client: String, of tenant: ModelTenant, as error: ModelError) {
        tally.note(.clientRetired)
        let keys = tenant.keys.filter { $0.key.user.clientName == client }
        for waiter in waiters.values where keys.contains(where: { $0 === waiter.key }) {
            if case .token = waiter.outcome { waiter.outcome = .error(error) }
        }
        // The cache goes through them from the last to the first.
        for call in calls.reversed() where keys.contains(where: { $0 === call.key }) {
            complete(call, .error(error))
            if call.isSent { supersedeLater(call) } else { remove(call) }
        }
        for key in keys {
            raise(key)
            drop(key, as: "flushed")
            key.negative = nil
        }
        for token in tokens.values where keys.contains(where: { $0 === token.key }) { token.isRevoked = true }
        tenant.refusedClients.remove(client)
    }

    func flush(_ tenant: ModelTenant?) throws {
        let count = begin(machine.flush(tenant: tenant?.id, now: now))
        trace("flushes \(tenant?.id.name ?? "all"): \(count)")
        let expected = (tenant.map { [$0] } ?? configured).reduce(0) { $0 + flush($1) }
        guard count == expected else { throw violated("a flush counted \(count), not \(expected)") }
        try finish()
    }

    /// Raises the generation of all of a tenant's keys.
    @discardableResult
    func flush(_ tenant: ModelTenant) -> Int {
        var count = 0
        for key in tenant.keys {
            if key.entry != nil { count += 1 }
            drop(key, as: "flushed", isSwept: false)
            raise(key)
            key.negative = nil
        }
        // Queued calls without waiters are ended in slices, or when their turn comes.
        for call in calls where call.tenant === tenant && call.key != nil { supersedeLater(call) }
        return count
    }

    // MARK: Generations

    private func raise(_ key: ModelKey) { key.generation += 1 }

    private func drop(_ key: ModelKey, as cause: String, isSwept: Bool = true) {
        guard let entry = key.entry else { return }
        key.entry = nil
        entry.token.isDropped = true
        if !isSwept { unswept.append(entry.token) }
        counters.evictions[cause, default: 0] += 1
    }

    /// Leaves a mint's token to its waiters.
    ///
    /// Without waiters it is of no use, and a queued call ends.
    private func supersede(_ call: ModelCall, _ key: ModelKey) {
        supersedeLater(call)
        guard call.isDoomed else { return }
        remove(call)
        lost(call, wasSent: false)
    }

    private func supersedeLater(_ call: ModelCall) {
        call.isSuperseded = true
        if call.key?.current === call { call.key?.current = nil }
    }
}
