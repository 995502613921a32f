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

    private static func names(of key: TokenKey) -> [EngineTokenNames] {
        let user = String(decoding: key.user.user.value, as: UTF8.self)
        return [
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

    private func text(_ kind: String, _ number: Int, _ details: EventDetails) -> EngineEventText {
        self.details.append(details)
        return EngineEventText(machine: "\(number)", kind: kind, sealed: Array("event-\(self.details.count - 1)".utf8))
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
                token: Self.names(of: key),
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
            _ = run(.renew(EngineRenew(token: Self.names(of: key), nonce: String(lease.nonce), lease: length)))
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
            token: Self.names(of: key),
            epoch: engine.epoch,
            nonce: String(lease.nonce),
            fence: lease.fence?.number ?? 0,
            mark: token.token.fingerprint.short,
            sealed: unsafe token.token.accessToken.bytes.withUnsafeBytes { unsafe Array($0) },
            left: (token.expiry - now).inMilliseconds,
            event: text("s", number, .changed(key))
        )
        if run(.store(store)).outcome == .done { announce(by: number) }
    }

    /// Returns what the engine has for a key.
    func peek(_ key: TokenKey) -> FleetAnswer.Outcome {
        perform(FleetLook(key: key, minLeft: .zero), of: 0, sent: now).outcome
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
            token: Self.names(of: look.key),
            epoch: engine.epoch,
            minLeft: look.minLeft.inMilliseconds,
            newerThan: look.newerThan?.number,
            ignoresRefusal: look.ignoresRefusal,
            purpose: claim.map(EngineLook.Purpose.claim) ?? .peek,
            rate: rate
        )
        return answer(run(.look(call)), sent: sent)
    }

    private func perform(_ drop: FleetDrop, _ id: FleetDropID, of number: Int, sent: Instant) -> Reply? {
        guard let time = dropTimes[DropName(machine: number, id: id)] else { return nil }
        let target: EngineDrop.Target
        switch drop.target {
        case .tenant: target = .tenant
        case .user(let user, nil): target = .user(Self.names(of: TokenKey(user: user, scopes: Self.key(0).scopes)))
        case .user(let user, let scopes?): target = .token(Self.names(of: TokenKey(user: user, scopes: scopes)))
        case .reported(let key, let fingerprint): target = .marked(Self.names(of: key), marks: [fingerprint.short])
        }
        let event = text("d", number, .drop(drop, at: time))
        let call = EngineDrop(names: Self.names, target: target, fence: drop.fence?.number, event: event)
        guard case .drop(let fence, let values) = run(.drop(call)).outcome else { return nil }
        announce(by: number)
        noteReason(drop)
        var stored: [FleetStoredToken] = []
        if case .user(let user, _) = drop.target {
            if case .taken(let taken) = run(.take(names: Self.names, values: values, fence: fence)).outcome {
                let key = TokenKey(user: user, scopes: Self.key(0).scopes)
                stored = taken.map { .init(key: key, token: token($0.sealed, $0.left, $0.fence, sent: sent)) }
            }
            if case .logout = drop.reason { notedLogouts[Self.number(in: user.user.value)] = time }
        }
        return .drop(id, FleetDropAnswer(fence: FleetFence(fence), epoch: engine.epoch, tokens: stored))
    }

    // MARK: Answers

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
