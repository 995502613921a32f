import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// The random operations.
extension ModelRun {
    /// Does one random operation.
    func act() throws {
        switch random.below(200) {
        case 0..<70: try askAtRandom()
        case 70..<126: try reply()
        case 126..<154: try passSomeTime()
        case 154: try suspend()
        case 155..<161: try prefetchAtRandom()
        case 161..<168: try invalidateAtRandom()
        case 168..<174: try logOutAtRandom()
        case 174..<176: try evict(randomKey().key.user, scopes: random.pick(Self.scopes.map(Optional.some) + [nil]))
        case 176: try flushAtRandom()
        case 177..<180: try cancelSomeWaits()
        case 180..<186: changeBehaviour()
        case 186: try random.once(in: 2) ? reload() : reduceLimits()
        case 187: try changeSomeSecret()
        case 188..<193: try retryAsTold()
        case 193: try releaseHoldsAtRandom()
        case 194: try end()
        case 195: changePersisting()
        case 196: try denyMany()
        case 198: try beginRoundAtRandom()
        case 197: try random.once(in: 2) ? requestBurst() : joinOneMint()
        default: try useOne()
        }
    }

    /// Returns a key of any tenant, rarely of one that isn't configured any more.
    private func randomKey() -> ModelKey {
        let configured = configured
        let tenant = random.once(in: 50) || configured.isEmpty ? random.pick(tenants) : random.pick(configured)
        return random.pick(tenant.keys)
    }

    // MARK: Callers

    private func randomOptions() -> RequestOptions {
        RequestOptions(
            minTTL: random.pick([nil, nil, nil, nil, .zero, .seconds(5), .seconds(3_000)]),
            timeout: random.pick([.zero, .seconds(1), .seconds(10), .seconds(10), .seconds(10), .seconds(300)]),
            noCache: random.once(in: 20),
            peer: Self.peer(random.pick(Self.peers)),
            trace: newTrace()
        )
    }

    private func askAtRandom() throws {
        let key = randomKey()
        var options = randomOptions()
        if random.once(in: 12) { options.refused = reportedToken(of: key) }
        _ = try ask(key, options)
    }

    /// Returns a token of a key that an API may have rejected: the cached one, or sometimes an earlier one.
    private func reportedToken(of key: ModelKey) -> Fingerprint? {
        let others = tokens.values.filter { $0.key === key }.sorted { $0.fingerprint.short < $1.fingerprint.short }
        let other = others.isEmpty || random.below(3) > 0 ? nil : random.pick(others)
        return (other ?? key.entry?.token)?.fingerprint
    }

    /// Makes many requests at once.
    private func requestBurst() throws {
        for _ in 0..<(5 + random.below(15)) { try askAtRandom() }
    }

    /// Makes many requests wait for one mint, whose token becomes void before all of them have it.
    private func joinOneMint() throws {
        let key = random.pick(keys)
        for _ in 0..<(4 + random.below(12)) {
            let peer = Self.peer(random.pick(Self.peers))
            try ask(key, RequestOptions(minTTL: .seconds(3_000), timeout: .seconds(300), peer: peer))
        }
        guard let call = key.current, call.isSent else { return }
        try reply(to: call)
        switch random.below(4) {
        case 0, 1: try logOut(key.key.user, scopes: nil, for: random.pick(Self.peers))
        case 2: try evict(key.key.user, scopes: nil)
        default: if let token = key.entry?.token { try invalidate(key, token.fingerprint) }
        }
    }

    /// Uses a token again and again, and at the points of its life.
    private func useOne() throws {
        let key = random.pick(entries.isEmpty ? keys : entries)
        for _ in 0..<(2 + random.below(6)) {
            try ask(key, randomOptions())
            guard let entry = key.entry else { return }
            let point = random.pick([entry.refreshAfter, entry.preferredUntil, entry.refreshDeadline])
            if point > now, point - now < .seconds(600) { try passTime(point - now) }
        }
    }

    /// Has several users in a row denied who were not denied before.
    private func denyMany() throws {
        let tenant = random.pick(configured)
        tenant.behaviour = .denying
        for key in tenant.keys {
            let options = RequestOptions(timeout: .seconds(10), noCache: true, peer: Self.peer(random.pick(Self.peers)))
            try ask(key, options)
        }
        for call in calls where call.isSent && call.tenant === tenant && call.key != nil { try reply(to: call) }
        // The user with whom the client is to be probed logs out.
        guard let probe = tenant.client.probe, !probe.isSent, let key = probe.key, random.once(in: 2) else { return }
        try logOut(key.key.user, scopes: nil, for: random.pick(Self.peers))
    }

    /// Repeats a request at the time that its error named: it must not get the same error if nothing else has happened.
    private func retryAsTold() throws {
        try finishSlices()
        let key = randomKey()
        var options = randomOptions()
        options.noCache = false
        // A mint that is forced by a report has an allowance of its own.
        if key.negative?.report == .unpaid { return }
        guard let error = try ask(key, options), let retryAfter = error.retryAfter, retryAfter <= 120 else { return }
        try finishSlices()
        let (sent, hold, present) = (key.tenant.sent, key.tenant.hold?.until, key.current)
        try passTime(.seconds(retryAfter))
        // Other calls have used up the calls that this one waited for, and calls that don't end keep others from
        // going.
        let isFull = key.tenant.underWay >= key.tenant.limits.maxConcurrent || !key.tenant.circuit.isClosed
        guard sent == key.tenant.sent, hold == key.tenant.hold?.until, present === key.current, !isFull else { return }
        tally.note(.retriedAsTold)
        let again = try ask(key, options)
        if again?.code == error.code, error.code != .timeout, error.code != .unknownTenant,
            error.code != .invalidRequest
        {
            throw violated("a caller who came back after \(retryAfter) s as told got \(error.code) again")
        }
    }

    private func prefetchAtRandom() throws {
        let keys = (0..<5).map { _ in randomKey() }
        try prefetch(keys, for: random.pick(Self.peers))
    }

    private func cancelSomeWaits() throws {
        let names = waiters.keys.sorted { $0.ticket < $1.ticket }
        guard !names.isEmpty else { return }
        let gone = (0...random.below(3)).map { _ in random.pick(names) }
        begin(machine.cancelWaits(of: gone, now: now))
        for name in gone {
            guard let waiter = waiters[name] else { continue }
            trace("\(waiter.key.map { "\($0)" } ?? "logout") of \(waiter.peer) leaves")
            stopWaiting(waiter)
        }
        try finish()
    }

    // MARK: Users' tokens

    private func invalidateAtRandom() throws {
        // Half of the time the key is being minted: that token must not count as newer than the report.
        let minted = calls.compactMap(\.key).filter { $0.entry != nil }
        let key = minted.isEmpty || random.once(in: 2) ? randomKey() : random.pick(minted)
        guard let fingerprint = reportedToken(of: key) else { return }
        try invalidate(key, fingerprint)
    }

    private func logOutAtRandom() throws {
        // Half of the time the user is being minted for, or is the probe of a client.
        let minted = calls.compactMap(\.key)
        let key = minted.isEmpty || random.once(in: 2) ? randomKey() : random.pick(minted)
        try logOut(key.key.user, scopes: random.once(in: 2) ? key.key.scopes : nil, for: random.pick(Self.peers))
    }

    // MARK: Operators

    private static let moods: [ModelTenant.Behaviour] = [
        .well, .well, .well, .well, .flapping, .flapping, .down, .throttling, .denying, .rejecting,
    ]

    /// Flushes, perhaps while the deferred work of a changed secret is under way.
    private func flushAtRandom() throws {
        let tenant = random.once(in: 2) ? nil : random.pick(tenants)
        if let tenant, random.once(in: 2) {
            try changeSecret(of: tenant)
            if random.once(in: 2) { try letTimePass() }
        }
        try flush(tenant)
    }

    /// Releases one tenant's hold or all, and makes a request that the hold would have delayed.
    private func releaseHoldsAtRandom() throws {
        let tenant = random.once(in: 3) ? nil : random.pick(tenants)
        try releaseHolds(of: tenant, for: random.pick(Self.peers))
        if random.once(in: 2) { try askAtRandom() }
    }

    private func changeSomeSecret() throws {
        let tenant = random.pick(tenants)
        guard random.once(in: 2) else { return try changeSecret(of: tenant) }
        try changeSecret(of: tenant, client: random.pick(Self.clients))
    }

    private func changeBehaviour() {
        let tenant = random.pick(tenants)
        tenant.behaviour = random.pick(Self.moods)
        trace("\(tenant.id.name) is \(tenant.behaviour)")
    }

    private func end() throws {
        guard kept.isKept else {
            kept.isKept = true
            return
        }
        if random.once(in: 2) { try finishSlices() }
        if random.once(in: 3) { try shutDown() }
        try restart()
    }

    private func changePersisting() {
        kept.isKept = !kept.isKept || random.below(3) > 0
    }

    // MARK: Time

    private func passSomeTime() throws {
        if random.once(in: 3), let point = timeOfChange() {
            return try passTime(point - now)
        }
        try passTime(
            random.pick([
                random.duration(.zero, .milliseconds(300)), random.duration(.zero, .milliseconds(300)),
                random.duration(.zero, .seconds(3)), random.duration(.zero, .seconds(3)),
                random.duration(.seconds(1), .seconds(20)), random.duration(.seconds(1), .seconds(60)),
                random.duration(.seconds(60), .seconds(random.pick([600, 600, 4_000]))),
            ])
        )
    }

    /// Returns a time at which the answer for some token changes.
    private func timeOfChange() -> Instant? {
        let entries = entries.compactMap(\.entry)
        guard !entries.isEmpty else { return nil }
        let entry = random.pick(entries)
        let point = random.pick([
            entry.refreshAfter, entry.refreshDeadline, entry.preferredUntil, entry.token.expiry - entry.margin,
            entry.token.expiry - .seconds(1), entry.token.expiry,
        ])
        let time = point + random.pick([.nanoseconds(-1), .zero, .nanoseconds(1), .milliseconds(100)])
        return time > now ? time : nil
    }

    /// Lets time pass without timers, as during suspend.
    ///
    /// Requests come before the timers do.
    private func suspend(until end: Instant? = nil) throws {
        now = end ?? now + random.duration(.seconds(1), .seconds(30_000))
        trace("wakes from a suspend")
        for tenant in tenants { tenant.disturb() }
        for _ in 0..<random.below(4) { try askAtRandom() }
        try letTimePass()
    }
}
