package import OperatorReplies
import Secrets
package import TokenProtocol

/// The replies to `stats` and `entries`.
extension CacheStateMachine {
    /// The most entries of flushed tenants that are passed over in search of the next refreshes, so that the search is
    /// short while a flush frees a million entries.
    private static var maxFlushed: Int { 1_000 }

    /// Records the latency of hits that were answered together.
    package mutating func recordHits(_ count: Int, _ latency: Duration) {
        statistics.recordHits(count, latency)
    }

    /// Returns counters, gauges and quantiles.
    ///
    /// It costs the same no matter how many tokens there are.
    package func stats(now: Instant) -> StatsReply {
        var stats = counts(now: now)
        stats.latency.hits = statistics.hitLatency.quantiles
        stats.latency.mints = statistics.mintLatency.quantiles
        return stats
    }

    /// Returns the state for metrics.
    ///
    /// It costs the same no matter how many tokens there are.
    package func snapshot(now: Instant) -> CacheSnapshot {
        CacheSnapshot(
            stats: counts(now: now),
            waiting: waiters.count,
            maxEntries: policy.maxEntries,
            persisted: keepsTokens ? store.count : 0,
            restored: statistics.restored,
            calls: statistics.calls,
            users: users,
            hits: statistics.hitLatency,
            mints: statistics.mintLatency,
            waits: statistics.waits,
            lifetimes: statistics.lifetimes
        )
    }

    private func counts(now: Instant) -> StatsReply {
        var stats = StatsReply()
        stats.entries = store.count
        stats.negativeEntries = negatives.denialCount
        stats.bytes = store.bytes
        stats.requests.hits = statistics.hits
        stats.requests.misses = statistics.misses
        stats.requests.coalesced = statistics.coalesced
        stats.requests.negatives = statistics.negatives
        stats.mints = mints
        stats.refreshes.due = statistics.refreshesDue
        stats.refreshes.done = statistics.refreshesDone
        stats.refreshes.late = statistics.refreshesLate
        stats.refreshes.skippedIdle = statistics.skippedIdle
        stats.evictions = evictions
        let allowsUsers = configured.contains { tenants[$0]?.governor.limits.provisioning != nil }
        stats.users = allowsUsers ? users : nil
        stats.fleet = fleetCounts
        stats.nextRefresh = store.nextRefresh.map { max(0, ($0 - now).inSeconds) }
        for (peer, count) in store.countsByOwner where peer != EntryStore.nobody {
            stats.uids[peer, default: .init()].entries = count
        }
        for (peer, count) in waiters.countsByPeer { stats.uids[peer, default: .init()].waiting = count }
        for (peer, count) in overQuota { stats.uids[peer, default: .init()].overloaded = count }
        stats.tenants.reserveCapacity(configured.count)
        for tenant in configured { stats.tenants[tenant.name] = tenants[tenant].map { Self.stats(of: $0, now: now) } }
        return stats
    }

    private var mints: StatsReply.Mints {
        var mints = StatsReply.Mints()
        mints.started = statistics.started
        let ended = statistics.calls.mints
        mints.succeeded = ended.succeeded
        mints.failed = Dictionary(uniqueKeysWithValues: ended.failed.map { ($0.key.rawValue, $0.value) })
        for tenant in tenants.values {
            mints.inFlight += tenant.governor.underWay
            mints.queued.foreground += tenant.governor.queuedCallers
            mints.queued.ahead += tenant.governor.queuedAhead
        }
        return mints
    }

    private var users: StatsReply.Users {
        let counts = statistics.users
        var users = StatsReply.Users()
        (users.found, users.created, users.changed) = (counts.found, counts.created, counts.changed)
        (users.refused, users.remembered, users.tokensRevoked) = (counts.refused, counts.remembered, counts.revoked)
        users.underWay = provisioning.count
        return users
    }

    private static func stats(of api: Governor, now: Instant) -> StatsReply.Tenant.API {
        var stats = StatsReply.Tenant.API()
        stats.state = api.circuit.name(at: now)
        stats.openings = api.circuit.openings
        stats.openFor = api.circuit.openUntil(now).map { ($0 - now).inSeconds }
        stats.hold = api.currentHold(at: now).map { ($0.until - now).inSeconds }
        stats.rateTokens = api.available(at: now)
        stats.ratePerMinute = api.limits.ratePerMinute
        stats.burst = api.limits.burst
        stats.inFlight = api.underWay
        stats.queued = api.queued
        return stats
    }

    private var evictions: [String: Int] {
        let counts = statistics.evictions
        return [
            "expired": counts.expired, "capacity": counts.capacity, "invalidated": counts.invalidated,
            "revoked": counts.revoked, "evicted": counts.evicted, "flushed": counts.flushed,
        ]
    }

    private static func stats(of tenant: TenantState, now: Instant) -> StatsReply.Tenant {
        var stats = StatsReply.Tenant()
        stats.state = tenant.governor.circuit.name(at: now)
        stats.openings = tenant.governor.circuit.openings
        stats.openFor = tenant.governor.circuit.openUntil(now).map { ($0 - now).inSeconds }
        stats.hold = tenant.governor.currentHold(at: now).map { ($0.until - now).inSeconds }
        stats.client = tenant.client.name
        stats.refusedClients = tenant.furtherClients.refusals.count
        stats.rateTokens = tenant.governor.available(at: now)
        stats.ratePerMinute = tenant.governor.limits.ratePerMinute
        stats.burst = tenant.governor.limits.burst
        stats.inFlight = tenant.governor.underWay
        stats.queued.callers = tenant.governor.queuedCallers
        stats.queued.prefetches = tenant.governor.queuedPrefetches
        stats.queued.refreshes = tenant.governor.queuedRefreshes
        stats.prefetch = tenant.round?.progress ?? tenant.lastRound
        if tenant.governor.limits.provisioning != nil { stats.api = Self.stats(of: tenant.api, now: now) }
        stats.lastSuccess = tenant.lastSuccess.map { (now - $0).inSeconds }
        stats.lastError = tenant.lastError.map {
            StatsReply.Tenant.LastError(
                code: $0.error.code.rawValue,
                description: $0.error.description,
                ago: (now - $0.at).inSeconds
            )
        }
        return stats
    }

    /// Returns a page of the cache's entries.
    ///
    /// - Returns: The page, or nil if the cursor is invalid.
    package func entries(_ request: EntriesRequest, of tenant: TenantID?, now: Instant) -> EntriesReply? {
        switch request.order {
        case .place: entriesByPlace(request, of: tenant, now: now)
        case .nextRefresh: entriesByRefresh(request.limit, now: now)
        }
    }

    /// Returns the entries whose timers start a refresh soonest.
    ///
    /// While a flush frees its entries, which are passed over, there may be fewer than the limit.
    private func entriesByRefresh(_ limit: Int, now: Instant) -> EntriesReply {
        let entries = store.slotsByRefresh.prefix(limit + Self.maxFlushed).lazy.compactMap { store[$0] }
        return EntriesReply(entries: entries.prefix(limit).map { show($0, now: now) }, next: nil)
    }

    private func entriesByPlace(_ request: EntriesRequest, of tenant: TenantID?, now: Instant) -> EntriesReply? {
        guard let start = request.after.map({ UInt32($0) }) ?? 0 else { return nil }
        var page = EntriesReply(entries: [], next: nil)
        for slot in store.slots(from: Int(start), of: tenant) {
            guard page.entries.count < request.limit else {
                page.next = String(slot)
                break
            }
            if let entry = store[slot] { page.entries.append(show(entry, now: now)) }
        }
        return page
    }

    private func show(_ entry: Entry, now: Instant) -> EntriesReply.Entry {
        EntriesReply.Entry(
            tenant: entry.key.user.tenant.name,
            user: entry.key.user.user,
            scopes: entry.key.scopes,
            state: state(of: entry, now: now),
            age: (now - entry.life.sent).wholeSeconds,
            expiresIn: entry.life.left(at: now).wholeSeconds,
            expiresAt: entry.expiresAt.text,
            lastUsed: entry.lastUsed.map { (now - $0).wholeSeconds },
            nextRefresh: entry.hasRefreshTimer
                ? max(0, (entry.life.refreshDeadline - now).wholeSeconds) : nil,
            fingerprint: entry.shortFingerprint
        )
    }

    func state(of entry: Entry, now: Instant) -> KeyState {
        if !entry.life.isServable(at: now) { return .expiring }
        if currentCall(of: entry.key) != nil { return .refreshing }
        return now < entry.life.refreshAfter ? .fresh : .due
    }
}
