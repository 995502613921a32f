import FleetModel
import FleetProtocol
import Secrets
import TokenProtocol

@testable import TokenCache

/// The engine as the caches see it: plain names, and numbers in place of sealed texts.
extension FleetRun {
    static let names = EngineNames(
        bucket: "bucket",
        hold: "hold",
        generation: "generation",
        fence: "fence",
        events: "events",
        eventCount: "count"
    )

    var rate: EngineRate { EngineRate(perMinute: policy.ratePerMinute, burst: policy.burst) }

    /// The names of a token under each of a machine's keys.
    private static func names(of key: TokenKey, _ keys: [Int]) -> [EngineTokenNames] {
        let user = String(decoding: key.user.user.value, as: UTF8.self)
        return keys.map {
            EngineTokenNames(
                value: "v\($0):\(user)",
                lease: "l\($0):\(user)",
                refusal: "r\($0):\(user)",
                generation: "g\($0):\(user)",
                userGeneration: "u\($0):\(user)",
                index: "i\($0):\(user)"
            )
        }
    }

    private func names(of key: TokenKey, _ number: Int) -> [EngineTokenNames] {
        Self.names(of: key, machines[number].keys)
    }

    /// The name of a machine's daemon in events.
    func name(of number: Int) -> String { "\(number)/\(machines[number].life)" }

    private func text(_ kind: String, _ number: Int, _ details: EventDetails) -> EngineEventText {
        self.details.append(details)
        let sealed = Array("event-\(self.details.count - 1)".utf8)
        return EngineEventText(machine: name(of: number), kind: kind, sealed: sealed)
    }

    private func run(_ call: EngineCall) -> EngineAnswer {
        tally.engineCalls += 1
        return engine.perform(call, at: engineTime)
    }

    /// Does what a cache has ordered, and returns the answer if there is one.
    func perform(_ order: FleetOrder, of number: Int, sent: Instant) -> Reply? {
        switch order {
        case .look(let call, let look): return .look(call, perform(look, of: number, sent: sent))
        case .pay(let call, _, let reserve):
            let pay = EnginePay(names: Self.names, rate: rate, reserve: Int(reserve * 1_000))
            return .look(call, answer(run(.pay(pay)), sent: sent))
        case .store(let key, let lease, let token):
            store(key, lease, token, of: number)
            return nil
        case .release(let key, let lease, let refusal):
            let release = EngineRelease(
                names: Self.names,
                token: names(of: key, number),
                nonce: String(lease.nonce),
                refusal: refusal.map {
                    .init(sealed: Array("\($0.upstream.status)".utf8), left: $0.left.inMilliseconds)
                },
                event: text("r", number, .changed(key))
            )
            if run(.release(release)).outcome == .done { announce(by: number) }
            return nil
        case .renew(let key, let lease):
            let length = policy.leaseLength.inMilliseconds
            _ = run(.renew(EngineRenew(token: names(of: key, number), nonce: String(lease.nonce), lease: length)))
            return nil
        case .drop(let id, let drop): return perform(drop, id, of: number, sent: sent)
        case .claimRevocation(let call, _, let fingerprint):
            return .claim(call, run(.claim(name: "c:\(fingerprint.short)", milliseconds: 60_000)).outcome == .done)
        case .hold(_, let left, let cause):
            let event = text("h", number, .hold)
            let milliseconds = left?.inMilliseconds
            _ = run(.hold(EngineHold(names: Self.names, left: milliseconds, cause: cause.rawValue, event: event)))
            announce(by: number)
            return nil
        case .state:
            return answer(run(.state(EngineState(names: Self.names, rate: rate))), sent: sent).limits.map(Reply.limits)
        }
    }

    private func store(_ key: TokenKey, _ lease: FleetLease, _ token: FleetToken, of number: Int) {
        let store = EngineStore(
            names: Self.names,
            token: names(of: key, number),
            epoch: engine.epoch,
            nonce: String(lease.nonce),
            fence: lease.fence?.number ?? 0,
            mark: token.token.fingerprint.short,
            sealed: unsafe token.token.accessToken.bytes.withUnsafeBytes { unsafe Array($0) },
            left: (token.expiry - time(of: number)).inMilliseconds,
            event: text("s", number, .changed(key))
        )
        if run(.store(store)).outcome == .done { announce(by: number) }
    }

    /// Returns what the engine has for a key.
    func peek(_ key: TokenKey) -> FleetAnswer.Outcome {
        machines.indices.map { perform(FleetLook(key: key, minLeft: .zero), of: $0, sent: now).outcome }
            .first { $0 != .nothing } ?? .nothing
    }

    private func perform(_ look: FleetLook, of number: Int, sent: Instant) -> FleetAnswer {
        let claim = look.claim.map {
            EngineClaim(
                nonce: String($0.nonce),
                lease: policy.leaseLength.inMilliseconds,
                reserve: Int($0.reserve * 1_000)
            )
        }
        let call = EngineLook(
            names: Self.names,
            token: names(of: look.key, number),
            epoch: engine.epoch,
            minLeft: look.minLeft.inMilliseconds,
            newerThan: look.newerThan?.number,
            ignoresRefusal: look.ignoresRefusal,
            purpose: claim.map(EngineLook.Purpose.claim) ?? .peek,
            rate: rate
        )
        let found = run(.look(call))
        switch found.outcome {
        case .token(_, _, let fence, _, _), .go(let fence): hear(fence, number)
        default: break
        }
        return answer(found, sent: sent)
    }

    private func perform(_ drop: FleetDrop, _ id: FleetDropID, of number: Int, sent: Instant) -> Reply? {
        guard let time = dropTimes[DropName(machine: number, life: machines[number].life, id: id)] else { return nil }
        let keys = machines[number].keys
        let event = text("d", number, .drop(drop, at: time, keys: keys))
        let target = Self.target(drop.target, keys)
        let call = EngineDrop(names: Self.names, target: target, fence: drop.fence?.number, event: event)
        guard case .drop(let fence, let values) = run(.drop(call)).outcome else { return nil }
        hear(fence, number)
        announce(by: number)
        noteReason(drop)
        var stored: [FleetStoredToken] = []
        if case .user(let user, _) = drop.target {
            if case .taken(let taken) = run(.take(names: Self.names, values: values, fence: fence)).outcome {
                let key = TokenKey(user: user, scopes: Self.key(0).scopes)
                stored = taken.map { .init(key: key, token: token($0.sealed, $0.left, $0.fence, sent: sent)) }
            }
            if case .logout = drop.reason { noteLogout(of: Self.number(in: user.user.value), at: time) }
        }
        return .drop(id, FleetDropAnswer(fence: FleetFence(fence), epoch: engine.epoch, tokens: stored))
    }

    private func noteLogout(of user: Int, at time: Instant) {
        guard notedLogouts[user].map({ $0.time < time }) ?? true else { return }
        notedLogouts[user] = NotedLogout(time: time, noted: now)
    }

    private static func target(_ target: FleetDrop.Target, _ keys: [Int]) -> EngineDrop.Target {
        switch target {
        case .tenant: .tenant
        case .user(let user, nil): .user(names(of: TokenKey(user: user, scopes: key(0).scopes), keys))
        case .user(let user, let scopes?): .token(names(of: TokenKey(user: user, scopes: scopes), keys))
        case .reported(let key, let fingerprint):
            .marked(names(of: key, keys), marks: keys.map { _ in fingerprint.short })
        }
    }

    /// Repeats another machine's drop under the names of keys that the sender lacks.
    func repeatDrop(_ drop: FleetDrop, _ fence: Int64, of number: Int, sender: [Int]) {
        guard machines[number].keys.contains(where: { !sender.contains($0) }) else { return }
        let target = Self.target(drop.target, machines[number].keys)
        _ = run(.drop(EngineDrop(names: Self.names, target: target, fence: fence, event: nil)))
        tally.count(.dropOfOtherKey)
    }

    // MARK: Answers

    /// Notes a fence of which a machine has heard.
    func hear(_ fence: Int64, _ number: Int) {
        machines[number].highestFence = max(machines[number].highestFence, fence)
    }

    private func token(_ sealed: [UInt8], _ left: Int, _ fence: Int64, sent: Instant) -> FleetToken {
        let minted = tokens[Self.number(in: sealed)]
        let token = GrantedToken(
            AccessToken(String(decoding: sealed, as: UTF8.self)),
            scope: "user_default",
            expiresAt: WallTime(seconds: 0)
        )
        // Its time counts from the moment at which it was asked for.
        let expiry = sent + .milliseconds(left)
        return FleetToken(token: token, lifetime: minted.lifetime, expiry: expiry, fence: FleetFence(fence))
    }

    private func answer(_ answer: EngineAnswer, sent: Instant) -> FleetAnswer {
        let hold = answer.hold.map {
            FleetLimits.Hold(left: .milliseconds($0.left), cause: .init(rawValue: $0.cause) ?? .paused)
        }
        let limits = answer.level.map {
            FleetLimits(level: Double($0) / 1_000, hold: hold, time: FleetFence(answer.time))
        }
        return FleetAnswer(outcome(answer.outcome, sent: sent), limits)
    }

    private func outcome(_ outcome: EngineAnswer.Outcome, sent: Instant) -> FleetAnswer.Outcome {
        switch outcome {
        case .token(let sealed, let left, let fence, _, _):
            noteFound(Self.number(in: sealed))
            return .found(token(sealed, left, fence, sent: sent))
        case .refused(let sealed, let left, _):
            let status = Int(String(decoding: sealed, as: UTF8.self)) ?? 0
            return .refused(FleetRefusal(ErrorReply.Upstream(status: status), left: .milliseconds(left)))
        case .wait(let left): return .wait(.milliseconds(left))
        case .go(let fence):
            payments += 1
            return .go(FleetFence(fence))
        case .done:
            payments += 1
            return .go(.none)
        case .later(let left): return .later(.milliseconds(left))
        case .nothing, .lost, .dropped, .drop, .taken, .present: return .nothing
        }
    }
}

extension Duration {
    /// The whole milliseconds.
    fileprivate var inMilliseconds: Int { Int(inSeconds * 1_000) }
}
