import FleetModel
import FleetProtocol
import Secrets
import TokenCache
import TokenProtocol

/// The engine as the caches see it: plain names, and texts that are not sealed.
extension FleetOfUsers {
    private static let names = EngineNames(
        bucket: "bucket",
        hold: "hold",
        generation: "generation",
        fence: "fence",
        events: "events",
        eventCount: "count"
    )

    private var rate: EngineRate { EngineRate(perMinute: policy.ratePerMinute, burst: policy.burst) }
    private var engineTime: Int64 { 1_000_000 + Int64(now / .milliseconds(1)) }

    private static func names(_ user: Int) -> [EngineTokenNames] {
        [
            EngineTokenNames(
                value: "v:\(user)",
                lease: "l:\(user)",
                refusal: "r:\(user)",
                generation: "g:\(user)",
                userGeneration: "u:\(user)",
                index: "i:\(user)"
            )
        ]
    }

    private static func user(_ key: TokenKey) -> Int { number(in: key.user.user.value) }

    private mutating func run(_ call: EngineCall) -> EngineAnswer {
        totals.engineCalls += 1
        return engine.perform(call, at: engineTime)
    }

    /// Does what a cache has ordered, and returns the answer if there is one.
    mutating func perform(_ order: FleetOrder, of number: Int, sent: Instant) -> Reply? {
        switch order {
        case .look(let call, let look): return .look(call, perform(look, of: number, sent: sent))
        case .pay(let call, _, let reserve):
            let pay = EnginePay(names: Self.names, rate: rate, reserve: Int(reserve * 1_000))
            return .look(call, answer(run(.pay(pay)), sent: sent))
        case .store(let key, let lease, let token): store(key, lease, token, of: number)
        case .release(let key, let lease, _):
            let user = Self.user(key)
            let release = EngineRelease(
                names: Self.names,
                token: Self.names(user),
                nonce: String(lease.nonce),
                refusal: nil,
                event: EngineEventText(machine: "\(number)", kind: "r", sealed: [])
            )
            if run(.release(release)).outcome == .done { wakeWaiting(user) }
        case .renew(let key, let lease):
            let renew = EngineRenew(
                token: Self.names(Self.user(key)),
                nonce: String(lease.nonce),
                lease: milliseconds(policy.leaseLength)
            )
            _ = run(.renew(renew))
        case .drop(let id, let drop): return perform(drop, id, of: number, sent: sent)
        case .claimRevocation(let call, _, let fingerprint):
            return .claim(call, run(.claim(name: "c:\(fingerprint.short)", milliseconds: 60_000)).outcome == .done)
        case .hold: break
        case .state:
            let state = EngineState(names: Self.names, rate: rate)
            return answer(run(.state(state)), sent: sent).limits.map(Reply.limits)
        }
        return nil
    }

    private mutating func perform(_ look: FleetLook, of number: Int, sent: Instant) -> FleetAnswer {
        let user = Self.user(look.key)
        let length = milliseconds(policy.leaseLength)
        let claim = look.claim.map {
            EngineClaim(nonce: String($0.nonce), lease: length, reserve: Int($0.reserve * 1_000))
        }
        let call = EngineLook(
            names: Self.names,
            token: Self.names(user),
            epoch: engine.epoch,
            minLeft: milliseconds(look.minLeft),
            newerThan: look.newerThan?.number,
            ignoresRefusal: look.ignoresRefusal,
            purpose: claim.map(EngineLook.Purpose.claim) ?? .peek,
            rate: rate
        )
        let found = run(.look(call))
        if case .wait = found.outcome { waiting[user, default: []].append(number) }
        return answer(found, sent: sent)
    }

    private mutating func store(_ key: TokenKey, _ lease: FleetLease, _ token: FleetToken, of number: Int) {
        let user = Self.user(key)
        let store = EngineStore(
            names: Self.names,
            token: Self.names(user),
            epoch: engine.epoch,
            nonce: String(lease.nonce),
            fence: lease.fence?.number ?? 0,
            mark: "",
            sealed: Array("token-\(user)".utf8),
            left: milliseconds(token.expiry - instant(now)),
            event: EngineEventText(machine: "\(number)", kind: "s", sealed: [])
        )
        if run(.store(store)).outcome == .done { wakeWaiting(user) }
    }

    private mutating func perform(_ drop: FleetDrop, _ id: FleetDropID, of number: Int, sent: Instant) -> Reply? {
        guard case .user(let user, _) = drop.target else { return nil }
        drops.append(drop)
        let text = EngineEventText(machine: "\(number)", kind: "d", sealed: Array("drop-\(drops.count - 1)".utf8))
        let target = EngineDrop.Target.user(Self.names(Self.number(in: user.user.value)))
        let call = EngineDrop(names: Self.names, target: target, fence: drop.fence?.number, event: text)
        guard case .drop(let fence, let values) = run(.drop(call)).outcome else { return nil }
        for other in machines.indices where other != number {
            tell(other, .dropped(drop, fence: FleetFence(fence)))
        }
        var stored: [FleetStoredToken] = []
        if case .taken(let taken) = run(.take(names: Self.names, values: values, fence: fence)).outcome {
            let key = Self.key(Self.number(in: user.user.value))
            stored = taken.map { .init(key: key, token: token($0.sealed, $0.left, $0.fence, sent: sent)) }
        }
        return .drop(id, FleetDropAnswer(fence: FleetFence(fence), epoch: engine.epoch, tokens: stored))
    }

    // MARK: Events

    /// Lets the machines look again that wait for a user's token.
    ///
    /// All others read the event, too, and it concerns them in no way.
    private mutating func wakeWaiting(_ user: Int) {
        for number in waiting.removeValue(forKey: user) ?? [] { tell(number, .changed(Self.key(user))) }
    }

    private mutating func tell(_ number: Int, _ news: FleetEvent) {
        guard machines[number].isConnected else { return }
        events.add(.news(number, news, link: machines[number].link), at: now + scenario.way * 2)
    }

    /// The last event of the stream.
    var lastEvent: (id: String, count: Int64) {
        mutating get {
            let state = engine.perform(.state(EngineState(names: Self.names, rate: rate)), at: engineTime)
            return state.events.map { ($0.id, $0.count) } ?? ("0-0", 0)
        }
    }

    /// Connects a machine, which first reads the logouts that it has missed.
    mutating func connect(_ number: Int) {
        machines[number].isConnected = true
        let position = lastEvent
        if let last = machines[number].lastEvent {
            let missed = engine.events(of: Self.names, after: last.id, at: engineTime)
            if missed.count < position.count - last.count {
                let time = FleetFence(engineTime)
                feed(number) { $0.fleetHappened(.eventsLost(Self.tenant, upTo: time), now: $2) }
            }
            for event in missed where event.text.kind == "d" && event.text.machine != "\(number)" {
                let news = FleetEvent.dropped(drops[Self.number(in: event.text.sealed)], fence: FleetFence(event.fence))
                feed(number) { $0.fleetHappened(news, now: $2) }
            }
        }
        let epoch = engine.epoch
        feed(number) { $0.fleetHappened(.connected(Self.tenant, epoch: epoch), now: $2) }
        feed(number) { $0.fleetHappened(.machines($1), now: $2) }
    }

    // MARK: Answers

    private func milliseconds(_ duration: Duration) -> Int { Int(duration / .milliseconds(1)) }

    private func token(_ sealed: [UInt8], _ left: Int, _ fence: Int64, sent: Instant) -> FleetToken {
        let text = AccessToken(String(decoding: sealed, as: UTF8.self))
        let token = GrantedToken(text, scope: "user_default", expiresAt: WallTime(seconds: 0))
        // Its time counts from the moment at which it was asked for.
        let expiry = sent + .milliseconds(left)
        return FleetToken(token: token, lifetime: scenario.lifetime, expiry: expiry, fence: FleetFence(fence))
    }

    private func answer(_ answer: EngineAnswer, sent: Instant) -> FleetAnswer {
        let limits = answer.level.map { FleetLimits(level: Double($0) / 1_000, time: FleetFence(answer.time)) }
        return FleetAnswer(outcome(answer.outcome, sent: sent), limits)
    }

    private func outcome(_ outcome: EngineAnswer.Outcome, sent: Instant) -> FleetAnswer.Outcome {
        switch outcome {
        case .token(let sealed, let left, let fence, _, _): .found(token(sealed, left, fence, sent: sent))
        case .wait(let left): .wait(.milliseconds(left))
        case .go(let fence): .go(FleetFence(fence))
        case .done: .go(.none)
        case .later(let left): .later(.milliseconds(left))
        case .refused, .nothing, .lost, .dropped, .drop, .taken, .present: .nothing
        }
    }
}
