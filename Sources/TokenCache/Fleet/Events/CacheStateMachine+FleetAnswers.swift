import TokenProtocol
import TokenStorage

/// The answers of the second level to looks and payments.
extension CacheStateMachine {
    /// Takes the answer to a look or a payment.
    package mutating func fleetAnswered(_ id: CallID, _ answer: FleetAnswer, now: Instant) -> CacheActions {
        guard let look = fleet.takeLook(id) else { return finish(now) }
        guard tenants[look.tenant] != nil else {
            giveBack(look, answer.outcome)
            return finish(now)
        }
        if answer.outcome == .unavailable { fleet.statistics.failed += 1 }
        if let time = answer.limits?.time { noteFirstLook(of: id, at: time) }
        take(answer.outcome, of: look, id, now: now)
        // Its level is that without the calls that have just been given back.
        if let limits = answer.limits { note(limits, of: look.tenant, now: now) }
        if case .later(let time) = answer.outcome { wait(time, look, now: now) }
        peekNext(of: look.tenant)
        return finish(now)
    }

    /// Lets no call of a tenant go for the time for which the fleet's bucket allows none.
    ///
    /// A call that leaves a part of the bucket to others waits for more than one call in it, as its queue knows.
    private mutating func wait(_ time: Duration, _ look: FleetLookUp, now: Instant) {
        guard fleet.isConnected(look.tenant), !look.isReserved else { return }
        let time = min(max(time, Self.leastPostponement), Self.longestPostponement)
        tenants[look.tenant]?.governor.wait(time, now: now)
    }

    private mutating func take(_ outcome: FleetAnswer.Outcome, of look: FleetLookUp, _ id: CallID, now: Instant) {
        guard let call = calls[id] else { return giveBack(look, outcome) }
        let outcome = isWaitInVain(outcome, of: call, now: now) ? .unavailable : outcome
        switch (look.purpose, call.phase) {
        case (.peek, .queued), (.peek, .yielding), (.peek, .claiming): peeked(call, look, outcome, now: now)
        case (.claim, .claiming), (.payment, .claiming): claimed(call, look, outcome, now: now)
        // The call was sent meanwhile, as the second level didn't answer for its tenant.
        default: giveBack(look, outcome)
        }
    }

    /// True if a call is told to wait, and nobody would tell of the end, or it has waited for longer than any mint takes.
    private func isWaitInVain(_ outcome: FleetAnswer.Outcome, of call: Call, now: Instant) -> Bool {
        guard case .wait = outcome else { return false }
        guard fleet.isConnected(call.tenant), let limits = tenants[call.tenant]?.governor.limits else { return true }
        let longest = limits.timeout + limits.leaseLength
        return call.mint?.fleet.yieldsSince.map { now - $0 > longest } ?? false
    }

    /// Notes the engine's time of the first look of a mint that demands a newer token than there is.
    private mutating func noteFirstLook(of id: CallID, at time: FleetFence) {
        calls.update(id) {
            if $0.mint?.fleet.newerThan == .highest { $0.mint?.fleet.newerThan = time }
        }
    }

    /// Gives back a lease that was taken for a call that has ended.
    private mutating func giveBack(_ look: FleetLookUp, _ outcome: FleetAnswer.Outcome) {
        guard case .claim(let nonce) = look.purpose, let key = look.key else { return }
        switch outcome {
        case .go(let fence): actions.fleetOrders.append(.release(key, FleetLease(nonce: nonce, fence: fence), nil))
        // It may have been taken all the same.
        case .unavailable: actions.fleetOrders.append(.release(key, FleetLease(nonce: nonce, fence: nil), nil))
        case .found, .refused, .wait, .later, .nothing: break
        }
    }

    // MARK: Looks that have taken nothing

    private mutating func peeked(
        _ call: Call,
        _ look: FleetLookUp,
        _ outcome: FleetAnswer.Outcome,
        now: Instant
    ) {
        switch outcome {
        case .found(let token): found(token, call, look, now: now)
        case .refused(let refusal): end(call.id, .refused(refusal), now: now)
        case .wait(let left):
            yield(call, for: left, now: now)
            if look.isOutdated { peek(call.id) }
        case .unavailable where keep(call, now: now): break
        case .nothing, .later, .go, .unavailable: goOn(call, look, outcome, now: now)
        }
    }

    /// Goes on with a mint for which there is neither a token nor another machine.
    private mutating func goOn(_ call: Call, _ look: FleetLookUp, _ outcome: FleetAnswer.Outcome, now: Instant) {
        switch call.phase {
        case .queued where look.isOutdated: peek(call.id)
        case .queued: rejectLateCallers(of: call.id, now: now)
        case .yielding: stopYielding(call.id, looksUp: look.isOutdated, now: now)
        case .claiming: if outcome == .unavailable { send(call, now: now) } else { claim(call.id) }
        case .sent, .pausing: break
        }
    }

    // MARK: Claims

    private mutating func claimed(
        _ call: Call,
        _ look: FleetLookUp,
        _ outcome: FleetAnswer.Outcome,
        now: Instant
    ) {
        switch outcome {
        case .found(let token): found(token, call, look, now: now)
        case .refused(let refusal): end(call.id, .refused(refusal), now: now)
        case .wait(let left):
            yield(call, for: left, now: now)
            if look.isOutdated { peek(call.id) }
        case .later: postpone(call, now: now)
        case .go(let fence):
            lend(call, look, fence, now: now)
            guard isWanted(call, now: now) else { return end(call.id, .unwanted, now: now) }
            send(call, now: now)
        case .unavailable where keep(call, now: now): giveBack(look, outcome)
        case .nothing, .unavailable:
            lend(call, look, nil, now: now)
            send(call, now: now)
        }
    }

    /// Queues a call again that the fleet's limits don't allow yet, before those that came later.
    private mutating func postpone(_ call: Call, now: Instant) {
        guard case .claiming(let started) = call.phase else { return }
        tenants[call.tenant]?.governor.undo(call.id, started, now: now)
        let goesFirst = !call.waiters.isEmpty || call.revocation?.logout != nil
        queueAgain(call.id, as: goesFirst ? .first : nil, looksUp: false, now: now)
        checkDeadlines(call.tenant, .tokens)
    }

    /// The least time until a call is tried again that the fleet's limits didn't allow, which is the engine's unit.
    private static var leastPostponement: Duration { .milliseconds(1) }
    /// The longest time of that kind, in which the slowest rate allows a call.
    private static var longestPostponement: Duration { .seconds(60) }

    // MARK: Tokens that were found

    /// Ends a mint with a token of the second level, unless it is of no use.
    private mutating func found(_ token: FleetToken, _ call: Call, _ look: FleetLookUp, now: Instant) {
        guard let mint = call.mint else { return }
        fleet[call.tenant].note(token.fence)
        let life = self.life(of: token, now: now)
        // Those who wait for a mint since before a drop may have the token of that time.
        let isDropped =
            fate(of: call) == .current && fleet[call.tenant].drops.concerns(mint.key.user)
            || mint.fleet.rejected.map { $0 == token.token.fingerprint } ?? false
        guard !isDropped, token.fence > mint.fleet.newerThan ?? .none,
            let verdict = Self.use(of: life, mint, now: now)
        else { return foundNothing(call, look, now: now) }
        guard verdict else {
            let shortest = max(mint.fleet.minLeft, life.left(at: now)) + TokenLife.minServed
            calls.update(call.id) { $0.mint?.fleet.minLeft = shortest }
            if case .claiming = call.phase { claim(call.id) } else { peek(call.id) }
            return
        }
        // It keeps its fence, by which later drops concern it.
        let minted =
            storedIfCurrent(token.token, life, call, mint, token.fence, isVerified: true, now: now)
            ?? MintedToken(token: token.token, life: life, record: .none)
        fleet.statistics.hits += 1
        if mint.fleet.yieldsSince != nil { fleet.statistics.leftToOthers += 1 }
        end(call.id, .found(minted), now: now)
    }

    /// Returns true if a token can be used, false if one with more time left is needed, and nil if there can't be one.
    private static func use(of life: TokenLife, _ mint: Mint, now: Instant) -> Bool? {
        if let refresh = mint.refresh, life.expiry <= refresh.tokenEnds { return nil }
        if case .mint = life.verdict(at: now, minTTL: mint.fleet.minTTL) { return false }
        return true
    }

    /// Returns the life of a token of the second level under the present policy.
    private mutating func life(of token: FleetToken, now: Instant) -> TokenLife {
        // A writer of the engine can change the time that is left, but not the sealed lifetime.
        let expiry = min(token.expiry, now + token.lifetime)
        // A token may be older than this machine's uptime, which its record can't tell.
        let longest = expiry - store.memory.clock.instant(at: 1)
        let nanoseconds = min(token.lifetime, longest, TokenLife.maxLifetime).wholeNanoseconds
        // Lives have whole milliseconds.
        let lifetime = Duration.nanoseconds(nanoseconds - nanoseconds % 1_000_000)
        return newLife(sent: expiry - lifetime, lifetime: lifetime)
    }

    /// Goes on with a mint whose token in the second level is of no use, and for which no lease was taken.
    private mutating func foundNothing(_ call: Call, _ look: FleetLookUp, now: Instant) {
        if case .claiming = call.phase { pay(for: call) } else { goOn(call, look, .nothing, now: now) }
    }
}
