import FleetProtocol
import Secrets
import TokenCache
import TokenProtocol

/// The answers of scripts, as the cache understands them.
extension TenantTranslator {
    /// The meaning of an answer to a look.
    enum Looked {
        /// An answer for the cache.
        case answer(FleetAnswer)
        /// A value that doesn't open under the key with a number. The look is repeated without it.
        case notOpened(key: Int, again: FleetLook)
    }

    /// Reads the answer to a look.
    ///
    /// - Parameters:
    ///   - sent: The time at which the look was sent: the remaining time is counted from there.
    ///   - wall: The wall clock's time at the moment `now`.
    func looked(
        _ answer: EngineAnswer,
        to look: FleetLook,
        sent: Instant,
        clock: Clock,
        memory: SecretMemory?
    ) throws(EngineFault) -> Looked {
        let limits = FleetLimits(answer)
        switch answer.outcome {
        case .token(let sealed, let left, let fence, let epoch, let key):
            let names = names.token(look.key.engineID)
            guard names.indices.contains(key) else { throw .malformed }
            let stored = StoredValue(name: names[key].value, sealed: sealed, left: left, fence: fence, epoch: epoch)
            guard let token = open(stored, key: key, sent: sent, clock: clock, memory: memory),
                token.key == look.key
            else { return .notOpened(key: key, again: look.newer(than: FleetFence(fence))) }
            return .answer(FleetAnswer(.found(token.token), limits))
        case .refused(let sealed, let left, let key):
            let names = names.token(look.key.engineID)
            guard names.indices.contains(key) else { throw .malformed }
            guard let plain = keys.openRefusal(sealed, .refusal(names[key].refusal), key: key) else {
                return .notOpened(key: key, again: look.ignoringRefusals())
            }
            let upstream = ErrorReply.Upstream(status: plain.status, code: plain.code, title: plain.title)
            return .answer(FleetAnswer(.refused(FleetRefusal(upstream, left: .milliseconds(left))), limits))
        case .wait(let left): return .answer(FleetAnswer(.wait(.milliseconds(left)), limits))
        case .go(let fence): return .answer(FleetAnswer(.go(FleetFence(fence)), limits))
        case .later(let time): return .answer(FleetAnswer(.later(.milliseconds(time)), limits))
        case .nothing: return .answer(FleetAnswer(.nothing, limits))
        case .done, .lost, .dropped, .drop, .taken, .present: throw .malformed
        }
    }

    /// Reads the answer to a payment.
    func paid(_ answer: EngineAnswer) throws(EngineFault) -> FleetAnswer {
        let limits = FleetLimits(answer)
        switch answer.outcome {
        case .done: return FleetAnswer(.go(.none), limits)
        case .later(let time): return FleetAnswer(.later(.milliseconds(time)), limits)
        default: throw .malformed
        }
    }

    /// A stored value with what the engine tells of it.
    struct StoredValue {
        var name: String
        var sealed: [UInt8]
        var left: Int
        var fence: Int64
        var epoch: String
    }

    /// Opens a token, or returns nil if it isn't one of this fleet's.
    ///
    /// - Parameter key: The number of the key under whose names it was found, or nil to try all.
    func open(
        _ stored: StoredValue,
        key: Int?,
        sent: Instant,
        clock: Clock,
        memory: SecretMemory?
    ) -> FleetStoredToken? {
        let place = SealContext.token(stored.name, fence: stored.fence, epoch: stored.epoch)
        guard let plain = keys.openToken(stored.sealed, place, key: key, in: memory),
            let key = TokenKey(id, plain.id)
        else { return nil }
        let expiry = sent + .milliseconds(stored.left)
        let token = GrantedToken(plain.token, scope: plain.scope, expiresAt: clock.wallTime(at: expiry))
        let fleetToken = FleetToken(
            token: token,
            lifetime: .milliseconds(plain.lifetime),
            expiry: expiry,
            fence: FleetFence(stored.fence)
        )
        return FleetStoredToken(key: key, token: fleetToken)
    }

    /// Opens an event, or returns nil if it isn't one of this fleet's.
    func open(_ event: EngineEvent) -> EngineEventDetails? { keys.open(event.text, names.tenant) }

    /// Reads an event, or returns nil if it has parts that this program doesn't know.
    func event(_ details: EngineEventDetails, fence: Int64) -> FleetEvent? {
        switch details {
        case .dropped(let target, let reason, _):
            FleetDrop.Target(id, target).map {
                .dropped(FleetDrop($0, FleetDrop.Reason(reason)), fence: FleetFence(fence))
            }
        case .stored(let token), .released(let token): TokenKey(id, token).map { .changed($0) }
        case .holdChanged: .holdChanged(id)
        }
    }
}

extension FleetLook {
    /// The same look for a token above a fence.
    func newer(than fence: FleetFence) -> FleetLook {
        var look = self
        look.newerThan = max(fence, newerThan ?? fence)
        return look
    }

    /// The same look, as if there were no denial.
    func ignoringRefusals() -> FleetLook {
        var look = self
        look.ignoresRefusal = true
        return look
    }
}
