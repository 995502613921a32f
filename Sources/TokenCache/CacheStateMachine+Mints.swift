import Secrets
import TokenProtocol

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// Planning mints and taking in what comes of them.
extension CacheStateMachine {
    /// A failure stands for at least this long: a crowd that was refused together doesn't call again together.
    static var shortestStanding: Double { 0.1 }
    /// And at most for this long: it is not a caller's business to wait for another's failure.
    static var longestStanding: Double { 0.5 }

    /// The next call that is to be made now; ask until there is none.
    package mutating func nextCall(now: Instant) -> CallOrder? {
        for name in tenantNames {
            let someoneWaits = tenants[name].map { $0.waiting > 0 } ?? false
            guard let call = tenants[name]?.governor.next(at: now, someoneWaits: someoneWaits) else { continue }
            statistics.started += revocations[call] == nil ? 1 : 0
            if let order = order(for: call, now: now) { return order }
        }
        return nil
    }

    private mutating func order(for call: CallID, now: Instant) -> CallOrder? {
        if let revocation = revocations[call] {
            return .revoke(call, tenant: revocation.tenant, revocation.token.accessToken)
        }
        guard let flight = flights[call] else { return nil }
        flights[call]?.sent = now
        return .mint(call, flight.key)
    }

    /// Plans a mint as the flight of its key.
    mutating func plan(_ key: TokenKey, as purpose: Governor.Purpose, now: Instant) -> CallID {
        let call = newCall()
        flights[call] = Flight(key: key, isRefresh: purpose.isRefresh, wasAskedFor: purpose == .caller)
        currentFlights[key.user, default: [:]][key.scopes] = call
        tenants[key.user.tenant]?.governor.enqueue(call, as: purpose)
        return call
    }

    /// Plans a refresh of a living token, unless one is under way or the key's last mint has just failed.
    mutating func planRefresh(of slot: Int, now: Instant) -> Bool {
        guard let entry = store[slot], currentFlights[entry.key.user]?[entry.key.scopes] == nil,
            memories[entry.key]?.refusal(at: now) == nil
        else { return false }
        statistics.refreshesDue += 1
        _ = plan(entry.key, as: .refresh(tokenEnds: entry.life.expiry), now: now)
        return true
    }

    /// A call for a token has come back.
    ///
    /// - Parameters:
    ///   - now: On the clock that decides.
    ///   - wall: On the wall clock, for display.
    package mutating func ended(_ call: CallID, _ result: MintResult, now: Instant, wall: Date) -> [Delivery] {
        guard let flight = flights[call], let sent = flight.sent else { return [] }
        tenants[flight.key.user.tenant]?.governor.ended()
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

    // MARK: Success

    private mutating func minted(
        _ call: CallID,
        _ flight: Flight,
        _ token: EncodedToken,
        _ life: TokenLife,
        now: Instant
    ) -> [Delivery] {
        statistics.succeeded += 1
        tenants[flight.key.user.tenant]?.lastSuccess = now
        finish(call, flight)
        switch flight.standing {
        case .current: keep(token, life, from: flight, now: now)
        case .superseded: break
        case .revoked: planRevocation(of: token, tenant: flight.key.user.tenant, logout: nil)
        }
        let reply = TokenReply(token: token, expiresIn: life.left(at: now).wholeSeconds, source: .tenant)
        return waiters(of: call, flight).map { Delivery(waiter: $0.waiter, reply: .token(reply)) }
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
            lastAsked: flight.wasAskedFor ? now : before?.lastAsked ?? now,
            cameFromRefresh: flight.isRefresh && !flight.wasAskedFor,
            replacedReported: wasReported,
            serial: newSerial()
        )
        if let old { store.replace(old, with: entry) }
        let slot = old ?? store.insert(entry)
        planTimes(of: slot, entry)
        makeRoom(now: now)
    }

    /// Plans an entry's refresh and its end.
    mutating func planTimes(of slot: Int, _ entry: Entry) {
        let reference = EntryReference(slot: slot, serial: entry.serial)
        refreshTimes.plan(reference, at: entry.life.lastChance)
        expiryTimes.plan(reference, at: entry.life.expiry)
        refreshTimes.sweep(wanted: store.count, isWanted: isCurrent)
        expiryTimes.sweep(wanted: store.count, isWanted: isCurrent)
    }

    /// Holds the cache to its bound: what has expired goes first, then what was asked for longest ago.
    mutating func makeRoom(now: Instant) {
        guard store.count > policy.maxEntries else { return }
        dropExpired(now: now)
        while store.count > policy.maxEntries, store.remove(store.oldest) != nil { statistics.evictions.capacity += 1 }
    }

    // MARK: Failure

    private mutating func failed(
        _ call: CallID,
        _ flight: Flight,
        _ failure: MintFailure,
        now: Instant
    ) -> [Delivery] {
        if case .denied(_, secretChanged: true) = failure, !flight.hasTriedNewSecret {
            return tryNewSecret(call, flight)
        }
        finish(call, flight)
        let tenant = flight.key.user.tenant
        let held = hold(tenant, after: failure, now: now)
        let error = error(for: failure, of: flight, now: now)
        statistics.failed[error.code, default: 0] += 1
        tenants[tenant]?.lastError = (error, now)
        let own = waiters(of: call, flight).map { fail($0.waiter, takesLivingToken: $0.takes, error, flight.key, now) }
        return own + (held ? failCallersPastHold(of: tenant, now: now) : [])
    }

    /// The client's secret was changed after the call went out with the old one: the call goes once more, first in line.
    private mutating func tryNewSecret(_ call: CallID, _ flight: Flight) -> [Delivery] {
        flights[call]?.hasTriedNewSecret = true
        flights[call]?.sent = nil
        tenants[flight.key.user.tenant]?.governor.enqueueFirst(call)
        return []
    }

    /// Notes that a tenant wants to be left alone; whether it does.
    private mutating func hold(_ tenant: String, after failure: MintFailure, now: Instant) -> Bool {
        switch failure {
        case .throttled(let retryAfter):
            let draw = draw()
            tenants[tenant]?.governor.hold(retryAfter, cause: .throttled, draw: draw, now: now)
        case .unavailable(_, let pause?):
            let draw = draw()
            let length: Duration? = if case .asked(let asked) = pause { asked } else { nil }
            tenants[tenant]?.governor.hold(length, cause: .paused, draw: draw, now: now)
        case .denied, .unavailable, .nonsense: return false
        }
        return true
    }

    /// What callers are told of a failure; where it is the key's present flight that failed, it is remembered too.
    private mutating func error(for failure: MintFailure, of flight: Flight, now: Instant) -> ErrorReply {
        let hold = tenants[flight.key.user.tenant]?.governor.currentHold(at: now)
        let wait = hold.map { ($0.until - now).asRetryAfter } ?? 1
        switch failure {
        case .denied(let upstream, _): return refused(upstream, of: flight, now: now)
        case .throttled: return stands(.paced(.throttled, until: hold?.until ?? now, now: now), of: flight, now: now)
        case .unavailable(let reason, _):
            return stands(ErrorReply(.unavailable, reason, retryAfter: wait), of: flight, now: now)
        case .nonsense(let reason):
            return stands(ErrorReply(.badUpstream, reason, retryAfter: wait), of: flight, now: now)
        }
    }

    private mutating func refused(_ upstream: ErrorReply.Upstream, of flight: Flight, now: Instant) -> ErrorReply {
        let length = policy.negativeTTL
        guard length > .zero, flight.standing == .current else {
            return stands(.denied(upstream, retryAfter: .seconds(1)), of: flight, now: now)
        }
        memories.change(flight.key, now: now, limit: policy.maxEntries) { $0.refuse(upstream, first: length, now: now) }
        return memories[flight.key]?.refusal(at: now) ?? .denied(upstream, retryAfter: length)
    }

    private mutating func stands(_ error: ErrorReply, of flight: Flight, now: Instant) -> ErrorReply {
        guard flight.standing == .current else { return error }
        let length = Self.shortestStanding + draw() * (Self.longestStanding - Self.shortestStanding)
        memories.change(flight.key, now: now, limit: policy.maxEntries) {
            $0.stand(error, until: now + .seconds(length))
        }
        return error
    }

    /// Callers whose call can't go before they stop waiting are told at once, not when it is too late.
    private mutating func failCallersPastHold(of tenant: String, now: Instant) -> [Delivery] {
        guard let governor = tenants[tenant]?.governor else { return [] }
        var deliveries: [Delivery] = []
        for call in governor.callersInOrder {
            guard let flight = flights[call], let delay = governor.delay(of: call, now: now) else { continue }
            let late = flight.waiters.filter { waiter in
                waiting[waiter].map { $0.call == call && $0.deadline < delay.until } ?? false
            }
            let error = ErrorReply.paced(delay.cause, until: delay.until, now: now)
            for waiter in late {
                let takes = stopWaiting(waiter)?.takesLivingToken ?? false
                deliveries.append(fail(waiter, takesLivingToken: takes, error, flight.key, now))
            }
            if !late.isEmpty, flights[call]?.waiting == 0 { cancel(call) }
        }
        return deliveries
    }

    /// What one caller gets where minting failed: the living token if it will do, else the error.
    mutating func fail(
        _ waiter: Waiter,
        takesLivingToken: Bool,
        _ error: ErrorReply,
        _ key: TokenKey,
        _ now: Instant
    ) -> Delivery {
        guard takesLivingToken, let slot = store.find(key), let living = Living(store, slot),
            living.life.isServable(at: now)
        else { return Delivery(waiter: waiter, reply: .error(error)) }
        return Delivery(waiter: waiter, reply: .token(living.reply(isStale: true, now: now)))
    }

    // MARK: The end of a flight

    /// Takes a flight that has come back out of the tables.
    mutating func finish(_ call: CallID, _ flight: Flight) {
        flights[call] = nil
        detach(call, flight.key)
    }

    /// Takes a flight that has not been sent out of the queue and the tables.
    mutating func cancel(_ call: CallID) {
        guard let flight = flights[call] else { return }
        tenants[flight.key.user.tenant]?.governor.withdraw(call)
        finish(call, flight)
    }

    /// Raises the generation of a key: what this flight brings is no longer the key's.
    mutating func detach(_ call: CallID, _ key: TokenKey) {
        guard currentFlights[key.user]?[key.scopes] == call else { return }
        currentFlights[key.user]?[key.scopes] = nil
        if currentFlights[key.user]?.isEmpty == true { currentFlights[key.user] = nil }
    }

    /// Those who still wait for a flight, in the order in which they came; they wait no longer.
    private mutating func waiters(of call: CallID, _ flight: Flight) -> [(waiter: Waiter, takes: Bool)] {
        flight.waiters.compactMap { waiter in
            guard waiting[waiter]?.call == call, let caller = stopWaiting(waiter) else { return nil }
            return (waiter, caller.takesLivingToken)
        }
    }

    /// Ends one caller's wait.
    @discardableResult
    mutating func stopWaiting(_ waiter: Waiter) -> WaitingCaller? {
        guard let caller = waiting.removeValue(forKey: waiter) else { return nil }
        flights[caller.call]?.waiting -= 1
        tenants[caller.tenant]?.waiting -= 1
        return caller
    }
}

extension Governor.Purpose {
    /// Whether it renews a living token.
    fileprivate var isRefresh: Bool {
        if case .refresh = self { true } else { false }
    }
}
