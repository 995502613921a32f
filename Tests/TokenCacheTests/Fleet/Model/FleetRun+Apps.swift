import Secrets
import TestSupport
import TokenProtocol

@testable import TokenCache

/// The apps on the machines, and the tenant.
extension FleetRun {
    // MARK: Requests

    func makeRequest() throws {
        guard now < endOfRequests else { return }
        at(random.duration(.zero, scene.pause * 2), .request)
        let number = random.below(machines.count)
        let user = random.below(scene.users)
        tally.requests += 1
        switch random.below(100) {
        case 0..<4: try logOut(user, number)
        case 4: try evict(user, number)
        case 5 where random.once(in: 4): try flush(number)
        case 6, 7: try report(user, number)
        case 8, 9: try ask(user, number, noCache: true)
        // Many machines need the same user at once.
        case 10..<20: for other in machines.indices { try ask(user, other) }
        default: try ask(user, number)
        }
    }

    private func waiter() -> Waiter {
        lastWaiter += 1
        return Waiter(connection: 1, ticket: lastWaiter)
    }

    private func ask(_ user: Int, _ number: Int, noCache: Bool = false) throws {
        let timeout = random.duration(.seconds(1), .seconds(20))
        let options = RequestOptions(timeout: timeout, noCache: noCache, peer: Peer(uid: 7, gid: 0))
        let waiter = waiter()
        if noCache { reasons[user] = now }
        let time = time(of: number)
        let outcome = machines[number].cache.request(Self.key(user), options, waiter: waiter, now: time)
        if outcome.answer == .wait {
            machines[number].requests[waiter] = .init(user: user, since: now, deadline: time + timeout)
        }
        try take(outcome.actions, number)
        if let served = outcome.answer.served { try check(served, for: user, number) }
    }

    private func logOut(_ user: Int, _ number: Int) throws {
        tally.logouts += 1
        reasons[user] = now
        machines[number].logouts[user] = now
        machines[number].unsentLogouts[user, default: []].append(now)
        let (waiter, time) = (waiter(), time(of: number))
        let outcome = machines[number].cache
            .revoke(Self.key(user).user, scopes: nil, waiter: waiter, for: Peer(uid: 7, gid: 0), now: time)
        if outcome.answer == nil {
            machines[number].requests[waiter] = .init(user: user, since: now, deadline: time + .seconds(10))
        }
        try take(outcome.actions, number)
    }

    private func evict(_ user: Int, _ number: Int) throws {
        reasons[user] = now
        try feed(number) { $0.evict(Self.key(user).user, scopes: nil, now: $1) }
    }

    private func flush(_ number: Int) throws {
        for user in 0..<scene.users { reasons[user] = now }
        try feed(number) { $0.flush(tenant: nil, now: $1).actions }
    }

    private func report(_ user: Int, _ number: Int) throws {
        guard let slot = machines[number].cache.store.find(Self.key(user)) else { return }
        reasons[user] = now
        let fingerprint = machines[number].cache.store.token(of: slot).fingerprint
        try feed(number) { $0.invalidate(Self.key(user), fingerprint, now: $1).actions }
    }

    // MARK: The tenant

    /// Takes a call of a machine.
    func call(_ order: CallOrder, _ number: Int) throws {
        calls += 1
        if case .mint(_, let key, _) = order { try noteMint(of: Self.user(of: key), number) }
        if scene.faults == .none, calls > payments {
            throw Violation(description: "machine \(number) has sent a call that nobody has paid for")
        }
        let life = machines[number].life
        at(random.duration(.milliseconds(20), scene.mintTime), .tenant(number, order, life: life, sent: now))
    }

    /// Answers a call.
    ///
    /// - Parameter isLost: True if the daemon has ended that has made it.
    func answer(_ order: CallOrder, _ number: Int, isLost: Bool, sent: Instant) throws {
        switch order {
        case .mint(let call, let key, _):
            let user = Self.user(of: key)
            mintsUnderWay[user, default: 0] -= 1
            let result = random.once(in: 25) ? failure(user) : minted(user, sent)
            let wall = wall(of: number)
            if !isLost { try feed(number) { $0.ended(call, result, now: $1, wall: wall) } }
        case .revoke(let call, _, let token, _):
            let text = unsafe token.bytes.withUnsafeBytes { unsafe Array($0) }
            try noteRevocation(of: Self.number(in: text), by: number)
            if !isLost { try feed(number) { $0.revocationEnded(call, .accepted, now: $1) } }
        case .mintForClient, .api: break
        }
    }

    private func minted(_ user: Int, _ sent: Instant) -> MintOutcome {
        tally.mints += 1
        lastMints[user] = sent
        tokens.append(MintedInRun(user: user, sent: sent, lifetime: scene.lifetime))
        let token = AccessToken("token-\(tokens.count - 1)")
        return .minted(token, scope: nil, lifetime: scene.lifetime)
    }

    private func failure(_ user: Int) -> MintOutcome {
        tally.count(.failedMint)
        return switch random.below(4) {
        case 0: .failed(.throttled(retryAfter: .seconds(3)))
        case 1: .failed(.denied(ErrorReply.Upstream(status: 403)))
        default: .failed(.unavailable("it fails"))
        }
    }

    // MARK: Replies

    func receive(_ delivery: Delivery, _ number: Int) throws {
        guard let request = machines[number].requests.removeValue(forKey: delivery.waiter) else {
            throw Violation(description: "machine \(number) has answered twice")
        }
        tally.longestWait = max(tally.longestWait, now - request.since)
        if let token = delivery.reply.token { try check(token, for: request.user, number) }
    }
}
