import FleetProtocol
import Secrets
import TokenCache
import TokenProtocol

/// Turns the cache's orders for a tenant into calls of scripts: plain keys and tokens into names and sealed values.
struct TenantTranslator {
    /// The thousandths in which the engine counts calls.
    static let levelUnit = 1_000.0
    /// The time for which the revocation of a token stays one machine's: longer than a revocation takes.
    static let claimTime = Duration.seconds(600)
    /// The bytes of a sealed token at most, which leaves room for what is stored before it.
    static let longestSealed = EngineScript.longestValue - 512
    /// The most fingerprints in an event of a logout.
    ///
    /// Machines revoke tokens of which no event tells them that another one does, so nothing is lost beyond.
    static let mostFingerprints = 100

    let id: TenantID
    let tenant: FleetTenant
    let names: KeyNames
    let keys: TenantKeys
    let machine: String
    /// The time limit of an order.
    let timeout: Duration
    /// The names of the fleet's keys.
    let keyIDs: [String]
    /// The engine's time in its last answer.
    var engineTime: EngineTime?

    /// Creates a translator, which derives the tenant's keys.
    init(_ id: TenantID, _ tenant: FleetTenant, _ settings: FleetSettings, machine: String) {
        (self.id, self.tenant, self.machine) = (id, tenant, machine)
        (timeout, keyIDs) = (settings.timeout, settings.keys.ids)
        keys = TenantKeys(settings.keys, host: tenant.identity.host, clientID: tenant.identity.clientID)
        names = KeyNames(prefix: settings.prefix, keys)
    }

    /// The slot of the tenant's keys in a cluster.
    var slot: Int { ClusterSlot.of(names.tenant.events) }

    private var rate: EngineRate { EngineRate(perMinute: tenant.ratePerMinute, burst: tenant.burst) }

    /// The call that reads the tenant's state.
    ///
    /// - Parameter fence: The highest fence that this machine has seen, below which the engine's fences must not fall.
    func state(above fence: Int64 = 0) -> EngineCall {
        .state(EngineState(names: names.tenant, rate: rate, fence: fence))
    }

    /// The call for an order, or nil if it can't be sealed.
    func call(_ order: FleetOrder, epoch: String, now: Instant) -> EngineCall? {
        switch order {
        case .look(_, let look): .look(engineLook(look, epoch: epoch))
        case .pay(_, _, let reserve):
            .pay(EnginePay(names: names.tenant, rate: rate, reserve: Self.thousandths(reserve)))
        case .store(let key, let lease, let token): store(key, lease, token, epoch: epoch, now: now)
        case .release(let key, let lease, let refusal): release(key, lease, refusal)
        case .renew(let key, let lease):
            .renew(EngineRenew(token: names.token(key.engineID), nonce: lease.name, lease: tenant.lease.milliseconds))
        case .drop(_, let drop): self.drop(drop)
        case .claimRevocation(_, _, let fingerprint):
            .claim(name: names.claim(fingerprint), milliseconds: Self.claimTime.milliseconds)
        case .hold(_, let left, let cause): hold(left, cause)
        case .state: state()
        }
    }

    /// The call that takes out the values of a drop.
    func take(_ values: [String], fence: Int64) -> EngineCall {
        .take(names: names.tenant, values: values, fence: fence)
    }

    /// Those of a user's values that a drop concerns, to be taken out.
    ///
    /// A report of a rejected token takes none, as a later token may be stored by now.
    func values(_ values: [String], of target: FleetDrop.Target) -> [String] {
        switch target {
        case .tenant, .reported: return []
        case .user(_, nil): return values
        case .user(let user, let scopes?):
            let own = names.token(TokenKey(user: user, scopes: scopes).engineID).map(\.value)
            return values.filter(own.contains)
        }
    }

    private func engineLook(_ look: FleetLook, epoch: String) -> EngineLook {
        EngineLook(
            names: names.tenant,
            token: names.token(look.key.engineID),
            epoch: epoch,
            minLeft: max(look.minLeft, .zero).milliseconds,
            newerThan: look.newerThan?.number,
            ignoresRefusal: look.ignoresRefusal,
            purpose: look.claim.map { .claim(claim($0)) } ?? .peek,
            rate: rate
        )
    }

    private func claim(_ claim: FleetClaim) -> EngineClaim {
        EngineClaim(
            nonce: FleetLease.name(of: claim.nonce),
            lease: tenant.lease.milliseconds,
            reserve: Self.thousandths(claim.reserve)
        )
    }

    private static func thousandths(_ calls: Double) -> Int {
        Int(exactly: (calls * levelUnit).rounded()) ?? 0
    }

    private func store(
        _ key: TokenKey,
        _ lease: FleetLease,
        _ token: FleetToken,
        epoch: String,
        now: Instant
    ) -> EngineCall? {
        let ends = engineTime?.time(at: token.expiry)
        // Without an answer to count from, the time until the engine has it is taken to be the longest.
        let left = (token.expiry - now - (ends == nil ? timeout : .zero)).milliseconds
        let names = names.token(key.engineID)
        guard let fence = lease.fence?.number, left > 0, let name = names.first?.value,
            let mark = self.names.marks(token.token.fingerprint).first
        else { return release(key, lease, nil) }
        guard let sealed = keys.seal(token.plain(key), .token(name, fence: fence, epoch: epoch)),
            let event = event(.stored(key.engineID))
        else { return nil }
        // Other machines mint their own.
        guard sealed.count <= Self.longestSealed else { return release(key, lease, nil) }
        return .store(
            EngineStore(
                names: self.names.tenant,
                token: names,
                epoch: epoch,
                nonce: lease.name,
                fence: fence,
                mark: mark,
                sealed: sealed,
                left: left,
                ends: ends,
                event: event
            )
        )
    }

    /// The call that stores a token under the first key that was found under another one, or nil if it can't be sealed.
    ///
    /// - Parameter epoch: The engine's process, which must still be the one that has answered.
    func move(_ found: MisplacedToken, epoch: String) -> EngineCall? {
        let (token, fence) = (names.token(found.key.engineID), found.token.fence.number)
        guard found.epoch == epoch, let name = token.first?.value,
            let mark = names.marks(found.token.token.fingerprint).first,
            let sealed = keys.seal(found.token.plain(found.key), .token(name, fence: fence, epoch: epoch))
        else { return nil }
        return .move(
            EngineMove(
                names: names.tenant,
                token: token,
                epoch: epoch,
                fence: fence,
                from: found.number,
                mark: mark,
                sealed: sealed
            )
        )
    }

    private func release(_ key: TokenKey, _ lease: FleetLease, _ refusal: FleetRefusal?) -> EngineCall? {
        let token = names.token(key.engineID)
        guard let name = token.first?.refusal, let event = event(.released(key.engineID)) else { return nil }
        let sealed = refusal.flatMap { refusal in
            keys.seal(refusal.plain, .refusal(name)).map {
                EngineRelease.Refusal(sealed: $0, left: refusal.left.milliseconds)
            }
        }
        return .release(
            EngineRelease(names: names.tenant, token: token, nonce: lease.name, refusal: sealed, event: event)
        )
    }

    private func drop(_ drop: FleetDrop) -> EngineCall? {
        let (target, reason) = (drop.target.details, drop.reason.details)
        guard let event = event(.dropped(target, reason, keys: keyIDs)) else { return nil }
        let fence = drop.fence?.number
        return .drop(EngineDrop(names: names.tenant, target: self.target(target), fence: fence, event: event))
    }

    /// Another machine's drop under the names of this one's keys, or nil if the sender has dropped it under all of them.
    func repeated(_ event: EngineEventDetails, fence: Int64) -> EngineDrop? {
        guard case .dropped(let target, _, let keys) = event, target != .tenant, !Set(keyIDs).isSubset(of: keys) else {
            return nil
        }
        return EngineDrop(names: names.tenant, target: self.target(target), fence: fence, event: nil)
    }

    private func target(_ target: EngineEventDetails.Target) -> EngineDrop.Target {
        switch target {
        case .tenant: .tenant
        case .user(let field, let user): .user(names.user(field: field, user))
        case .token(let id): .token(names.token(id))
        case .reported(let id, let fingerprint): .marked(names.token(id), marks: names.marks(fingerprint))
        }
    }

    private func hold(_ left: Duration?, _ cause: FleetLimits.HoldCause) -> EngineCall? {
        event(.holdChanged).map { event in
            .hold(EngineHold(names: names.tenant, left: left?.milliseconds, cause: cause.rawValue, event: event))
        }
    }

    private func event(_ details: EngineEventDetails) -> EngineEventText? {
        keys.seal(details, names.tenant, machine: machine)
    }
}

extension FleetLease {
    /// The lease's name in the engine.
    var name: String { Self.name(of: nonce) }

    /// The name of a nonce.
    static func name(of nonce: UInt64) -> String { String(nonce, radix: 36) }
}
