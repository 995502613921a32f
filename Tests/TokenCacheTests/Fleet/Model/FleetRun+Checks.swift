import Secrets
import TokenProtocol

@testable import TokenCache

/// The promises.
extension FleetRun {
    /// Checks a token that a machine serves.
    func check(_ reply: TokenReply, for user: Int, _ number: Int) throws {
        if reply.source == .fleet { tally.fleetHits += 1 }
        let text = unsafe reply.token.accessToken.bytes.withUnsafeBytes { unsafe Array($0) }
        let token = tokens[Self.number(in: text)]
        guard token.user == user else {
            throw Violation(description: "machine \(number) has served another user's token")
        }
        guard now < token.sent + token.lifetime else {
            throw Violation(description: "machine \(number) has served an expired token")
        }
        try checkRevocation(of: token, number)
        if let logout = machines[number].logouts[user], token.sent < logout {
            throw Violation(
                description: "machine \(number) has served a token of user \(user) after a logout had reached it"
            )
        }
    }

    /// Checks that no machine serves a token that it has revoked, or that another one has while both were connected.
    private func checkRevocation(of token: MintedInRun, _ number: Int) throws {
        if let revoked = token.revoked, revoked.machine == number {
            throw Violation(description: "machine \(number) has served a token that it has revoked")
        }
        guard let connected = machines[number].connectedAt, let logout = notedLogouts[token.user],
            token.sent < logout.time, connected < logout.noted, now - logout.noted > scene.delay * 2
        else { return }
        let slot = machines[number].cache.store.find(Self.key(token.user))
        // It is served if the engine does not answer when it is looked up.
        if let slot, machines[number].cache.store.isSuspect(slot) { return }
        throw Violation(description: "machine \(number) has served a token that is older than a logout in the engine")
    }

    /// Notes that a machine has revoked a token.
    func noteRevocation(of token: Int, by number: Int) throws {
        guard tokens[token].revoked == nil || scene.faults != .none else {
            throw Violation(description: "machine \(number) has revoked a token that is revoked")
        }
        tokens[token].revoked = tokens[token].revoked ?? (number, now)
    }

    /// Checks that the engine gives out no token after it has noted a logout.
    func noteFound(_ number: Int) {
        let token = tokens[number]
        if let logout = notedLogouts[token.user], token.sent < logout.time {
            foundAfterLogout = "the engine has a token of user \(token.user) after it has noted the logout"
        }
    }

    /// Notes that tokens have to be minted anew which the engine has dropped.
    ///
    /// Some of them were minted after the drop was ordered, and before it reached the engine.
    func noteReason(_ drop: FleetDrop) {
        switch drop.target {
        case .tenant: for user in 0..<scene.users { reasons[user] = now }
        case .user(let user, _): reasons[Self.number(in: user.user.value)] = now
        case .reported(let key, _): reasons[Self.user(of: key)] = now
        }
    }

    /// Checks that a mint is needed, and that no other machine makes it.
    func noteMint(of user: Int, _ number: Int) throws {
        mintsUnderWay[user, default: 0] += 1
        let last = lastMints[user]
        let isNewLife = last.map { now - $0 > scene.lifetime / 2 || $0 < reasons[user] ?? $0 } ?? true
        if isNewLife { tally.lives += 1 }
        guard scene.faults == .none else { return }
        guard mintsUnderWay[user] == 1 || isNewLife else {
            throw Violation(description: "machine \(number) mints for user \(user) while another one does")
        }
        guard isNewLife else {
            throw Violation(description: "machine \(number) mints for user \(user), who has a token")
        }
    }

    /// Checks that no request of a machine waits longer than it may.
    func checkWaits(of number: Int) throws {
        for request in machines[number].requests.values where request.deadline < time(of: number) {
            throw Violation(description: "a request on machine \(number) has waited too long")
        }
    }

    /// Checks that everything has come to rest.
    func checkRest() throws {
        if let foundAfterLogout { throw Violation(description: foundAfterLogout) }
        for number in machines.indices {
            let machine = machines[number]
            tally.leftToOthers += machine.cache.fleet.statistics.leftToOthers
            guard machine.requests.isEmpty else {
                throw Violation(description: "requests on machine \(number) have no answer")
            }
            guard scene.faults != .always else { continue }
            guard machine.cache.calls.count == 0, machine.cache.fleet.isIdle, machine.epoch != nil else {
                throw Violation(description: "machine \(number) has not come to rest")
            }
        }
        if scene.faults != .always { try checkLeases() }
    }

    private func checkLeases() throws {
        for user in 0..<scene.users {
            guard case .nothing = peek(Self.key(user)) else {
                throw Violation(description: "the engine still has something of user \(user)")
            }
        }
    }
}
