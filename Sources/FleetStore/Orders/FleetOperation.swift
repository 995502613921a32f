import FleetProtocol
import Secrets
import TokenCache

/// An order on its way: which calls it takes, and what it ends with.
struct FleetOperation {
    /// The end of an order.
    enum Reply: Sendable, Equatable {
        case answered(CallID, FleetAnswer)
        case dropped(FleetDropID, FleetDropAnswer?)
        case claimed(CallID, Bool)
        case limits(TenantID, FleetLimits)
        /// Nobody waits for it.
        case none
    }

    /// The consequence of an answer.
    enum Step {
        /// The order has ended.
        case end(Reply)
        /// Another call is needed, see ``FleetOperation/call(_:epoch:now:)``.
        case call
    }

    /// The values that are taken out by one call, so that the answer is shorter than the parser's limit.
    static let valuesPerTake = 14

    /// A drop that the engine has noted, whose tokens are being taken out.
    private struct NotedDrop {
        let id: FleetDropID
        let target: FleetDrop.Target
        let fence: Int64
        let epoch: String
        let isLogout: Bool
        /// The names of the values that have not been taken out.
        var rest: ArraySlice<String>
        var tokens: [FleetStoredToken] = []

        /// The names of the next call, or of the one that is under way.
        var next: [String] { Array(rest.prefix(FleetOperation.valuesPerTake)) }

        var reply: Reply {
            .dropped(id, FleetDropAnswer(fence: FleetFence(fence), epoch: epoch, tokens: isLogout ? tokens : []))
        }
    }

    private(set) var order: FleetOrder
    private var noted: NotedDrop?
    private var sent: Instant?
    /// The token that was found under another key than the first, if it was.
    private(set) var misplaced: MisplacedToken?
    /// The number of values that didn't open, by the position of their key.
    private(set) var notOpened: [Int: Int] = [:]
    /// The number of values that opened, by the position of their key.
    private(set) var opened: [Int: Int] = [:]

    /// Begins an order.
    init(_ order: FleetOrder) { self.order = order }

    /// True for a drop that the engine has not noted, which must come before all that is asked later.
    var isDrop: Bool { if case .drop = order { noted == nil } else { false } }

    /// The next call, or nil if it can't be made.
    ///
    /// - Parameter now: The time at which it is sent.
    mutating func call(_ translator: TenantTranslator, epoch: String, now: Instant) -> EngineCall? {
        sent = now
        if let noted { return translator.take(noted.next, fence: noted.fence) }
        return translator.call(order, epoch: epoch, now: now)
    }

    /// The end if the engine doesn't do what it is asked.
    var failed: Reply {
        if let noted { return noted.reply }
        return switch order {
        case .look(let call, _), .pay(let call, _, _): .answered(call, FleetAnswer(.unavailable))
        case .drop(let drop, _): .dropped(drop, nil)
        // A token that is revoked twice does no harm, unlike one that nobody revokes.
        case .claimRevocation(let call, _, _): .claimed(call, true)
        case .store, .release, .renew, .hold, .state: .none
        }
    }

    /// Takes an answer.
    ///
    /// - Parameter epoch: The engine's process that has given it.
    mutating func answered(
        _ answer: EngineAnswer,
        _ translator: TenantTranslator,
        epoch: String,
        clock: Clock,
        memory: SecretMemory?
    ) throws(EngineFault) -> Step {
        let sent = sent ?? clock.now
        if let noted { return try taken(noted, answer, translator, sent: sent, clock: clock, memory: memory) }
        switch order {
        case .look(let call, let look):
            switch try translator.looked(answer, to: look, sent: sent, clock: clock, memory: memory) {
            case .answer(let found):
                if case .token(_, _, _, let epoch, let key) = answer.outcome, case .found(let token) = found.outcome {
                    opened[key, default: 0] += 1
                    if key > 0 { misplaced = MisplacedToken(key: look.key, token: token, epoch: epoch, number: key) }
                }
                return .end(.answered(call, found))
            case .notOpened(let key, let again): return repeatLook(call, key, again)
            }
        case .pay(let call, _, _): return .end(.answered(call, try translator.paid(answer)))
        case .drop(let id, let drop): return try noted(id, drop, answer, translator, epoch: epoch)
        case .claimRevocation(let call, _, _): return .end(.claimed(call, answer.outcome == .done))
        case .state(let tenant):
            return .end(FleetLimits(answer).map { .limits(tenant, $0) } ?? .none)
        case .store, .release, .renew, .hold: return .end(.none)
        }
    }

    private mutating func repeatLook(_ call: CallID, _ key: Int, _ again: FleetLook) -> Step {
        let isRepeated = !notOpened.isEmpty
        notOpened[key, default: 0] += 1
        // A second value that doesn't open has been written a moment ago by a machine with other keys.
        guard !isRepeated else { return .end(failed) }
        order = .look(call, again)
        return .call
    }

    private mutating func noted(
        _ id: FleetDropID,
        _ drop: FleetDrop,
        _ answer: EngineAnswer,
        _ translator: TenantTranslator,
        epoch: String
    ) throws(EngineFault) -> Step {
        guard case .drop(let fence, let all) = answer.outcome else { throw .malformed }
        let values = translator.values(all, of: drop.target)
        var isLogout = false
        if case .logout = drop.reason { isLogout = true }
        let noted = NotedDrop(
            id: id,
            target: drop.target,
            fence: fence,
            epoch: epoch,
            isLogout: isLogout,
            rest: values[...]
        )
        guard !values.isEmpty else { return .end(noted.reply) }
        self.noted = noted
        return .call
    }

    private mutating func taken(
        _ noted: NotedDrop,
        _ answer: EngineAnswer,
        _ translator: TenantTranslator,
        sent: Instant,
        clock: Clock,
        memory: SecretMemory?
    ) throws(EngineFault) -> Step {
        guard case .taken(let values) = answer.outcome else { throw .malformed }
        var noted = noted
        let names = noted.next
        for value in values {
            guard names.indices.contains(value.number) else { throw .malformed }
            let stored = TenantTranslator.StoredValue(
                name: names[value.number],
                sealed: value.sealed,
                left: value.left,
                fence: value.fence,
                epoch: value.epoch
            )
            if let token = translator.open(stored, key: nil, sent: sent, clock: clock, memory: memory),
                noted.target.isOf(token.key.user)
            {
                noted.tokens.append(token)
            } else {
                notOpened[0, default: 0] += 1
            }
        }
        noted.rest.removeFirst(names.count)
        self.noted = noted
        return noted.rest.isEmpty ? .end(noted.reply) : .call
    }
}

/// A token that was found under another key than the first.
struct MisplacedToken {
    let key: TokenKey
    let token: FleetToken
    /// The engine's process that has stored it.
    let epoch: String
    /// The number of the key under whose names it was found.
    let number: Int
}

extension FleetDrop.Target {
    /// True if tokens of a user are dropped, and of no other one.
    ///
    /// Somebody may have written other users' names among those of a user's tokens.
    fileprivate func isOf(_ user: UserKey) -> Bool {
        switch self {
        case .tenant: false
        case .user(let own, _): own == user
        case .reported(let key, _): key.user == user
        }
    }
}

extension FleetOrder {
    /// The tenant.
    var tenant: TenantID {
        switch self {
        case .look(_, let look): look.key.user.tenant
        case .pay(_, let tenant, _), .claimRevocation(_, let tenant, _), .hold(let tenant, _, _), .state(let tenant):
            tenant
        case .store(let key, _, _), .release(let key, _, _), .renew(let key, _): key.user.tenant
        case .drop(_, let drop): drop.tenant
        }
    }
}
