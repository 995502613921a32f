import Secrets
import TestSupport
import TokenCache
import TokenProtocol

/// The tenant's side: which calls go, and what comes back.
extension ModelRun {
    /// Takes the calls that go now, and holds each against the rules.
    mutating func takeOrders() throws {
        noteProbes()
        while let order = machine.nextCall(now: now) {
            switch order {
            case .mint(let call, let key): try started(call, key)
            case .revoke(let call, let tenant, _):
                revocations[call] = tenant
                // Somebody's turn, too: the one who logged a user out.
                tenants[tenant]?.lastTurn = nil
                try pay(tenant)
            }
        }
    }

    private mutating func noteProbes() {
        for case .clientSuspected(let tenant, isProbed: true) in machine.takeNotices() {
            noteProbe(of: tenant)
        }
    }

    private mutating func noteProbe(of tenant: String) {
        let key = tenants[tenant]?.lastAccepted
        tenants[tenant]?.probe = key
    }

    private mutating func started(_ call: CallID, _ key: TokenKey) throws {
        let again = retried.removeValue(forKey: call)
        let generation = again?.generation ?? generation(key)
        if !murky.contains(key), calls.values.contains(where: { $0.key == key && $0.generation == generation }) {
            throw violated("a second mint of the same key and generation is under way")
        }
        let isWanted =
            again != nil || wanted.remove(key) != nil || askers.values.contains { $0.key == key } || murky.contains(key)
        if tenants[key.user.tenant]?.probe == key {
            tenants[key.user.tenant]?.probe = nil
        } else if !isWanted {
            try checkRefresh(key)
        } else if again == nil {
            try checkTurn(key)
        }
        try pay(key.user.tenant)
        calls[call] = Call(
            key: key,
            generation: generation,
            identity: identity(key),
            sent: now,
            isRefresh: !isWanted
        )
    }

    /// A peer whose call goes twice in a row has nobody else waiting in between.
    private mutating func checkTurn(_ key: TokenKey) throws {
        let name = key.user.tenant
        guard let owner = owners.removeValue(forKey: key), let peer = owner, !murky.contains(key) else {
            tenants[name]?.lastTurn = nil
            return
        }
        let others = askers.filter { _, asker in
            asker.key.user.tenant == name && asker.key != key && asker.peer != peer && !murky.contains(asker.key)
                && owners[asker.key] == .some(asker.peer) && asker.generation == generation(asker.key)
                && !calls.values.contains { $0.key == asker.key }
        }
        let queued = Set(others.keys)
        if let last = tenants[name]?.lastTurn, last.peer == peer, !last.others.isDisjoint(with: queued) {
            throw violated("a peer had two turns in a row while another waited")
        }
        tenants[name]?.lastTurn = (peer, queued)
    }

    private mutating func pay(_ name: String) throws {
        guard var tenant = tenants[name] else { throw violated("a tenant was called that isn't configured") }
        tenant.underWay += 1
        guard tenant.pay(now) else { throw violated("more calls went than the bucket allows") }
        guard tenant.underWay <= tenant.policy.maxConcurrent else { throw violated("too many calls are under way") }
        if let held = tenant.heldUntil, now < held { throw violated("a call went in a hold") }
        tenants[name] = tenant
    }

    /// A call that nobody waits for.
    private mutating func checkRefresh(_ key: TokenKey) throws {
        let name = key.user.tenant
        guard let last = lastAsked[key], now - last <= policy.idleTTL else {
            throw violated("a call went for a user who is idle")
        }
        if let fault = faults[key], now - fault < .milliseconds(100) {
            throw violated("a refresh was tried again at once")
        }
        let someoneIsQueued = askers.values.contains { asker in
            asker.key.user.tenant == name && asker.identity == identity(asker.key)
                && asker.generation == generation(asker.key) && !murky.contains(asker.key)
                && !calls.values.contains { $0.key == asker.key && $0.generation == asker.generation }
        }
        if someoneIsQueued { throw violated("a refresh went before a caller") }
    }

    /// One of the calls under way comes back.
    mutating func reply() throws {
        if random.once(in: 5), let call = revocations.keys.sorted().first,
            let name = revocations.removeValue(forKey: call)
        {
            tenants[name]?.underWay -= 1
            let result = random.pick([RevocationResult.taken, .refused])
            return try take(machine.revocationEnded(call, result, now: now))
        }
        guard !calls.isEmpty else { return }
        let call = random.pick(calls.keys.sorted())
        guard let open = calls.removeValue(forKey: call) else { return }
        tenants[open.key.user.tenant]?.underWay -= 1
        let result = result(for: open)
        switch result {
        case .minted(let token, _, let lifetime): note(token, lifetime ?? policy.defaultLifetime, open)
        case .failed(let failure):
            // With a new secret the same call goes once more.
            if case .denied(_, secretChanged: true) = failure { retried[call] = open }
            note(failure, open)
        }
        let before = living(open.key) == nil ? nil : cached[open.key]
        let deliveries = machine.ended(call, result, now: now, wall: Self.wall)
        try checkNotices(result, open)
        if case .failed = result, let before {
            let present = machine.explain(open.key, for: 0, now: now).token?.fingerprint
            if present != before.short { throw violated("a failure has replaced a living token") }
        }
        try take(deliveries)
    }

    private mutating func result(for call: Call) -> MintResult {
        let mood = tenants[call.key.user.tenant]?.mood ?? .well
        let success = MintResult.minted(
            newToken(),
            scope: nil,
            lifetime: random.pick([
                nil, .seconds(20), .seconds(20), .seconds(600), .seconds(21_600), .milliseconds(500),
            ])
        )
        switch mood {
        case .well: return success
        case .down: return .failed(fault())
        case .flapping: return random.once(in: 2) ? success : .failed(fault())
        case .throttling: return .failed(.throttled(retryAfter: random.pick([nil, .seconds(1), .seconds(30)])))
        case .refusing:
            let status = random.pick([401, 401, 401, 403, 404])
            let secretChanged = status == 401 && random.once(in: 10)
            return .failed(.denied(ErrorReply.Upstream(status: status), secretChanged: secretChanged))
        }
    }

    private mutating func fault() -> MintFailure {
        random.pick([
            .unavailable("down", pause: nil), .unavailable("down", pause: nil), .nonsense("rubbish"),
            .unavailable("down", pause: .asked(.seconds(3))), .unavailable("down", pause: .unreadable),
        ])
    }

    // MARK: The model's account

    private mutating func note(_ token: AccessToken, _ lifetime: Duration, _ call: Call) {
        let expiry = call.sent + lifetime
        tokens[token.fingerprint] = Token(
            key: call.key,
            generation: call.generation,
            expiry: expiry,
            margin: min(.seconds(30), lifetime * 0.05),
            sent: call.sent,
            lifetime: lifetime
        )
        let isUsable = expiry - now >= .seconds(1)
        if isUsable, call.generation == generation(call.key) { cached[call.key] = token.fingerprint }
        let name = call.key.user.tenant
        guard call.identity == identity(call.key) else { return }
        if isUsable {
            tenants[name]?.accepted.insert(call.key)
            tenants[name]?.lastAccepted = call.key
            faults = faults.filter { $0.key.user.tenant != name }
        }
    }

    private mutating func note(_ failure: MintFailure, _ call: Call) {
        guard call.identity == identity(call.key) else { return }
        let name = call.key.user.tenant
        switch failure {
        case .throttled(let length): hold(name, length ?? .seconds(5))
        case .unavailable(_, .asked(let length)): hold(name, length)
        case .unavailable(_, .unreadable): hold(name, .seconds(5))
        case .unavailable(_, nil), .nonsense, .denied: break
        }
        if case .denied = failure { return }
        faults[call.key] = now
    }

    private mutating func hold(_ name: String, _ length: Duration) {
        let end = now + length
        if end > tenants[name]?.heldUntil ?? now { tenants[name]?.heldUntil = end }
    }

    /// Nobody is locked out but for a user whom the tenant had accepted before.
    private mutating func checkNotices(_ result: MintResult, _ call: Call) throws {
        for notice in machine.takeNotices() {
            switch notice {
            case .clientSuspected(let tenant, isProbed: true): noteProbe(of: tenant)
            case .clientRefused(let tenant):
                guard case .failed(.denied(let upstream, _)) = result, upstream.status == 401,
                    tenants[tenant]?.accepted.contains(call.key) == true
                else { throw violated("the client was taken for refused without proof") }
            default: break
            }
        }
    }
}
