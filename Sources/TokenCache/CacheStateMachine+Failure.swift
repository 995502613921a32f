import TokenProtocol

/// What a failed call means for those who wait, for the key, and for the next calls.
extension CacheStateMachine {
    /// A failure stands for at least this long: a crowd that was refused together doesn't call again together.
    static var shortestStanding: Double { 0.1 }
    /// And at most for this long: it is not a caller's business to wait for another's failure.
    static var longestStanding: Double { 0.5 }

    mutating func failed(
        _ call: CallID,
        _ flight: Flight,
        _ failure: MintFailure,
        now: Instant
    ) -> [Delivery] {
        let tenant = flight.key.user.tenant
        if case .denied(_, secretChanged: true) = failure, !flight.hasTriedNewSecret, tenants[tenant] != nil {
            return tryNewSecret(call, flight, now: now)
        }
        finish(call, flight)
        let pause = tryAgain(call, flight, failure, now: now)
        let wasBlocked = tenants[tenant]?.governor.blockedUntil(now)
        noteHold(of: tenant, flight.tenantNumber, failure, now: now)
        noteEnd(of: call, of: tenant, flight.tenantNumber, ending(of: failure, tenant), now: now)
        noteRefusal(call, flight, failure, now: now)
        if let pause { planRetry(of: flight.key, after: pause, now: now) }
        let error = error(for: failure, of: flight, now: now)
        statistics.failed[error.code, default: 0] += 1
        record(flight, .failed(error.code, error.upstream))
        tenants[tenant]?.lastError = (error, now)
        let own = waiters(of: call, flight).map { fail($0.waiter, takesLivingToken: $0.takes, error, flight.key, now) }
        let isBlocked = tenants[tenant]?.governor.blockedUntil(now) != wasBlocked
        return own + (isBlocked ? failCallersPastBlock(of: tenant, now: now) : [])
    }

    /// The client's secret was changed after the call went out with the old one: the call goes once more, first in line.
    private mutating func tryNewSecret(_ call: CallID, _ flight: Flight, now: Instant) -> [Delivery] {
        let tenant = flight.key.user.tenant
        noteEnd(of: call, of: tenant, flight.tenantNumber, .unknown, now: now)
        flights[call]?.hasTriedNewSecret = true
        flights[call]?.sent = nil
        tenants[tenant]?.governor.enqueue(call, as: .probe)
        return []
    }

    // MARK: What callers are told

    /// What callers are told of a failure; where it is the key's present flight that failed, it is remembered too.
    private mutating func error(for failure: MintFailure, of flight: Flight, now: Instant) -> ErrorReply {
        let block = tenants[flight.key.user.tenant]?.governor.block(now)
        let wait = block.map { ($0.until - now).asRetryAfter } ?? 1
        switch failure {
        case .denied(let upstream, _): return refused(upstream, of: flight, now: now)
        case .throttled: return stands(.paced(.throttled, until: block?.until ?? now, now: now), of: flight, now: now)
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
    mutating func failCallersPastBlock(of tenant: String, now: Instant) -> [Delivery] {
        guard let governor = tenants[tenant]?.governor, let block = governor.block(now) else { return [] }
        var deliveries: [Delivery] = []
        let error = ErrorReply.paced(block.cause, until: block.until, now: now)
        for call in governor.callersInOrder {
            guard let flight = flights[call] else { continue }
            let late = flight.waiters.filter { waiter in
                waiting[waiter].map { $0.call == call && $0.deadline < block.until } ?? false
            }
            for waiter in late {
                let takes = stopWaiting(waiter)?.takesLivingToken ?? false
                deliveries.append(fail(waiter, takesLivingToken: takes, error, flight.key, now))
            }
            if !late.isEmpty, flights[call]?.waiting == 0 { cancel(call) }
        }
        return deliveries
    }

    // MARK: Trying again

    /// Whether a key whose mint has failed is tried again behind the scenes, and after which pause at least.
    ///
    /// It is where its token lives, is due for renewal and in use. After 429 the hold alone says when.
    private mutating func tryAgain(
        _ call: CallID,
        _ flight: Flight,
        _ failure: MintFailure,
        now: Instant
    ) -> Duration? {
        guard flight.standing == .current, let slot = store.find(flight.key), let entry = store[slot],
            now >= entry.life.softPoint, isInUse(entry, now: now)
        else { return nil }
        switch failure {
        case .denied: return nil
        case .throttled: return .zero
        case .unavailable, .nonsense:
            let draw = draw()
            return tenants[flight.key.user.tenant]?.governor.backoff.pause(
                after: call,
                left: entry.life.left(at: now),
                draw: draw
            )
        }
    }

    private mutating func planRetry(of key: TokenKey, after pause: Duration, now: Instant) {
        // A probe for the client may have become the key's flight meanwhile.
        guard let slot = store.find(key), let entry = store[slot], currentFlights[key.user]?[key.scopes] == nil else {
            return
        }
        let call = plan(key, as: .refresh(tokenEnds: entry.life.expiry, notBefore: pause > .zero ? now + pause : nil))
        if pause > .zero { tenants[key.user.tenant]?.governor.backoff.note(call, pause) }
    }
}
