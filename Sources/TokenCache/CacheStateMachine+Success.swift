import Secrets
import TokenProtocol

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// Taking in what calls bring back.
extension CacheStateMachine {
    /// A call for a token has come back.
    ///
    /// - Parameters:
    ///   - now: On the clock that decides.
    ///   - wall: On the wall clock, for display.
    package mutating func ended(_ call: CallID, _ result: MintResult, now: Instant, wall: Date) -> [Delivery] {
        guard let flight = flights[call], let sent = flight.sent else { return [] }
        statistics.recordMint(now - sent)
        switch result {
        case .minted(let token, let scope, let lifetime):
            let life = TokenLife(sent: sent, lifetime: lifetime ?? policy.defaultLifetime, draw: draw(), policy: policy)
            guard life.left(at: now) >= TokenLife.leastFresh else {
                return failed(call, flight, ErrorReply.spentOnArrival, now: now)
            }
            let ends = wall.addingTimeInterval(life.left(at: now).inSeconds)
            let encoded = EncodedToken(
                accessToken: token,
                scope: scope ?? flight.key.scopes.text,
                expiresAt: ends.formatted(.iso8601)
            )
            return minted(call, flight, encoded, life, now: now)
        case .failed(let failure): return failed(call, flight, failure, now: now)
        }
    }

    private mutating func minted(
        _ call: CallID,
        _ flight: Flight,
        _ token: EncodedToken,
        _ life: TokenLife,
        now: Instant
    ) -> [Delivery] {
        let tenant = flight.key.user.tenant
        statistics.succeeded += 1
        tenants[tenant]?.lastSuccess = now
        noteEnd(of: call, of: tenant, flight.tenantNumber, .success, now: now)
        noteAcceptance(flight, now: now)
        finish(call, flight)
        record(flight, .minted(granted: token.scope, token.fingerprint))
        switch flight.standing {
        case .current: keep(token, life, from: flight, now: now)
        case .superseded: break
        case .revoked(let peer): planRevocation(of: token, flight.key, logout: nil, for: peer)
        }
        let reply = TokenReply(token: token, expiresIn: life.left(at: now).wholeSeconds, source: .tenant)
        return waiters(of: call, flight).map { Delivery(waiter: $0.waiter, reply: .token(reply)) }
    }

    mutating func record(_ flight: Flight, _ end: AuditRecord.MintEnd) {
        records.append(AuditRecord(flight.peer, .mint(flight.key, flight.cause, end)))
    }

    private mutating func keep(_ token: EncodedToken, _ life: TokenLife, from flight: Flight, now: Instant) {
        let key = flight.key
        let wasReported = memories[key]?.wasReported ?? false
        memories.forget(key)
        let old = store.find(key)
        let before = old.flatMap { store[$0] }
        if flight.isRefresh { statistics.refreshDone(isLate: before.map { !$0.life.isServable(at: now) } ?? true) }
        let entry = Entry(
            key: key,
            token: token,
            life: life,
            arrived: now,
            lastAsked: [flight.askedAt, before?.lastAsked].compactMap(\.self).max(),
            cameUnasked: flight.isUnasked && flight.askedAt == nil,
            replacedReported: wasReported,
            serial: newSerial()
        )
        if let old { store.replace(old, with: entry) }
        let slot = old ?? store.insert(entry, for: flight.owner)
        planTimes(of: slot, entry)
        makeRoom(now: now)
    }

    /// Plans an entry's refresh and its end.
    mutating func planTimes(of slot: Int, _ entry: Entry) {
        let reference = EntryReference(slot: slot, serial: entry.serial)
        refreshTimes.plan(reference, at: entry.life.lastChance)
        expiryTimes.plan(reference, at: entry.life.expiry)
        // Asked before, as naming `isCurrent` copies all of this value for it.
        let count = store.count
        if refreshTimes.isWorthSweeping(wanted: count) { refreshTimes.sweep(wanted: count, isWanted: isCurrent) }
        if expiryTimes.isWorthSweeping(wanted: count) { expiryTimes.sweep(wanted: count, isWanted: isCurrent) }
    }

    /// Holds the cache to its bound: what has expired goes first, then what was asked for longest ago
    /// among what belongs to uids that have more than their quota.
    mutating func makeRoom(now: Instant) {
        guard store.count > policy.maxEntries else { return }
        dropExpired(now: now)
        while store.count > policy.maxEntries,
            let slot = store.nextToGo(limit: policy.maxEntries, share: policy.entriesShare)
        {
            store.remove(slot)
            statistics.evictions.capacity += 1
        }
    }
}
