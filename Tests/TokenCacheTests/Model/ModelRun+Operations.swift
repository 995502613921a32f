import Secrets
import TestSupport
import TokenCache
import TokenProtocol

/// What happens to the cache.
extension ModelRun {
    /// One random operation.
    mutating func act() throws {
        switch random.below(100) {
        case 0..<42: try ask()
        case 42..<62: try reply()
        case 62..<82: try passTime()
        case 82..<84: try suspend()
        case 84..<87: prefetch()
        case 87..<91: try invalidate()
        case 91..<93: try logOut()
        case 93..<94: evict()
        case 94: if random.once(in: 4) { flush() }
        case 95..<96: leave()
        case 96..<98: changeMood()
        case 98: if random.once(in: 2) { try reload() }
        default: changeSecret()
        }
    }

    // MARK: Callers

    private mutating func ask() throws {
        let key = random.pick(Self.keys)
        let wish = CacheStateMachine.Wish(
            minTTL: random.pick([nil, nil, nil, .zero, .seconds(5), .seconds(3_000)]),
            timeout: random.pick([.zero, .seconds(1), .seconds(10), .seconds(10), .seconds(300)]),
            noCache: random.once(in: 20),
            peer: Peer(uid: PeerUID(random.below(3)), gid: 0)
        )
        let waiter = newWaiter()
        let before = wish.noCache ? nil : living(key)
        lastAsked[key] = now
        switch machine.request(key, wish, waiter: waiter, now: now) {
        case .serve(let reply), .serveAndRefresh(let reply):
            if reply.isStale { noteWish(key, wish.peer.uid) }
            try check(reply, for: key, minTTL: wish.minTTL, since: generation(key))
            if !murky.contains(key), tokens[reply.token.fingerprint]?.generation != generation(key) {
                throw violated("a token of an older generation came from the cache")
            }
        case .wait:
            noteWish(key, wish.peer.uid)
            askers[waiter] = Asker(
                key: key,
                generation: generation(key),
                identity: identity(key),
                deadline: now + wish.timeout,
                minTTL: wish.minTTL,
                noCache: wish.noCache,
                peer: wish.peer.uid,
                since: step
            )
        case .refuse(let error):
            if error.code == .timeout { noteWish(key, wish.peer.uid) }
            if before != nil, wish.minTTL ?? .zero == .zero {
                throw violated("a caller got an error though a living token was there")
            }
        }
    }

    private mutating func prefetch() {
        let keys = (0..<5).map { _ in random.pick(Self.keys) }
        _ = machine.prefetch(keys, for: Peer(uid: PeerUID(random.below(3)), gid: 0), now: now)
        for key in keys { noteWish(key, nil) }
    }

    private mutating func leave() {
        guard let waiter = askers.keys.sorted(by: { $0.ticket < $1.ticket }).first else { return }
        askers[waiter] = nil
        machine.leave([waiter])
    }

    // MARK: Users' tokens

    private mutating func invalidate() throws {
        // Half of the time one of which a mint is under way: what comes back then must not pass for newer than the report.
        let minted = calls.values.map(\.key).filter { cached[$0] != nil }.sorted { "\($0)" < "\($1)" }
        let key = random.once(in: 2) ? minted.first ?? random.pick(Self.keys) : random.pick(Self.keys)
        let known = tokens.filter { $0.value.key == key }.keys.sorted { $0.short < $1.short }
        guard let fingerprint = random.once(in: 3) ? known.first : cached[key] else { return }
        let isPresent = cached[key] == fingerprint
        let isDropped = machine.invalidate(key, fingerprint, now: now) == .dropped
        if isDropped, !isPresent, !isCramped, !murky.contains(key) {
            throw violated("a token was dropped that should not have been there")
        }
        if isDropped { raise { $0 == key } }
    }

    private mutating func logOut() throws {
        let key = random.pick(Self.keys)
        let scopes = random.once(in: 2) ? key.scopes : nil
        let waiter = newWaiter()
        let action = machine.revoke(
            key.user,
            scopes: scopes,
            waiter: waiter,
            for: Peer(uid: PeerUID(random.below(3)), gid: 0),
            now: now
        )
        for (fingerprint, token) in tokens
        where token.key.user == key.user && scopes ?? token.key.scopes == token.key.scopes {
            tokens[fingerprint]?.isRevoked = true
        }
        if action.reply == nil { logouts.insert(waiter) }
        raise(cancels: true) { $0.user == key.user && scopes ?? $0.scopes == $0.scopes }
        try take(action.deliveries)
    }

    private mutating func evict() {
        let key = random.pick(Self.keys)
        machine.evict(key.user, scopes: key.scopes)
        raise { $0 == key }
    }

    private mutating func flush() {
        let tenant = random.pick([nil, "one", "two"])
        _ = machine.flush(tenant: tenant)
        raise { tenant ?? $0.user.tenant == $0.user.tenant }
    }

    // MARK: Operators

    private mutating func changeMood() {
        tenants[random.pick(["one", "two"])]?.mood = random.pick(ModelTenant.Mood.allCases)
    }

    private mutating func changeSecret() {
        machine.secretChanged(of: random.pick(["one", "two"]))
    }

    private mutating func reload() throws {
        let name = random.pick(["one", "two"])
        guard var tenant = tenants[name] else { return }
        if random.once(in: 2) {
            tenant.identity += 1
            tenant.policy.identity.host = "https://\(name)\(tenant.identity).example"
            tenant.heldUntil = nil
            (tenant.accepted, tenant.lastAccepted, tenant.probe) = ([], nil, nil)
            raise { $0.user.tenant == name }
        }
        tenant.reconfigure(rate: random.pick([6, 60, 600]), burst: random.pick([1, 5, 50]), now: now)
        tenants[name] = tenant
        try take(machine.reconfigure(policy: policy, tenants: tenants.mapValues(\.policy), now: now))
    }

    // MARK: Time

    private mutating func passTime() throws {
        let length = random.pick([
            random.duration(.zero, .milliseconds(300)), random.duration(.zero, .seconds(3)),
            random.duration(.seconds(1), .seconds(60)), random.duration(.seconds(60), .seconds(4_000)),
        ])
        let end = now + length
        for round in 0... {
            guard let next = machine.nextTime(now: now), next <= end else { break }
            guard round < 5_000 else { throw violated("the cache asks to be woken again and again") }
            now = max(now, next)
            try take(machine.timePassed(now: now))
            try takeOrders()
        }
        now = end
    }

    /// Time passes and no timer goes off, as while the machine sleeps; requests come before the timers do.
    private mutating func suspend() throws {
        now += random.duration(.seconds(1), .seconds(30_000))
        for _ in 0..<random.below(4) { try ask() }
        try take(machine.timePassed(now: now))
    }
}
