/// All that the stand-in decides: what each request gets, and when.
///
/// It does no I/O and has no clock. A call goes through three events: ``receive(_:on:at:)``, ``latencyPassed(_:)`` and
/// ``answer(_:at:)``; ``end(_:at:)`` closes it, after its reply or where its connection ends before that.
package struct TenantMachine: Sendable {
    /// What becomes of a request that has arrived.
    package enum Reception: Sendable, Equatable {
        /// Its reply goes out at once, and it is no call.
        case answer(ReplyScript)
        /// It is a call, and its reply waits that long.
        case delay(Duration, CallNumber)
    }

    /// The counters and the list of requests.
    package internal(set) var ledger = Ledger()
    /// The tokens that were handed out.
    package internal(set) var tokens = IssuedTokens()

    let clientID: String
    let clientScopes: [String]
    let destinations: ReplyComposer.Destinations
    var secrets: ClientSecrets
    var keys: ClientKeys
    var minter: TokenMinter
    var gate = ReplyGate()
    var allowance: CallAllowance?
    var latency: Duration
    var lifetime: Int
    var tokenBytes: Int
    var scripts = ScriptBook()
    private var calls: [CallNumber: OpenCall] = [:]

    /// A tenant at its start; redirects lead to the destinations.
    package init(
        _ configuration: StandInTenant.Configuration,
        destinations: ReplyComposer.Destinations,
        at now: ContinuousClock.Instant
    ) throws {
        clientID = configuration.clientID
        clientScopes = configuration.clientScopes
        self.destinations = destinations
        secrets = try ClientSecrets(configuration.clientSecrets)
        keys = try ClientKeys(configuration.clientKeys)
        minter = TokenMinter(issuer: destinations.same)
        allowance = configuration.rateLimit.map { limit in CallAllowance(limit, at: now) }
        latency = configuration.latency
        lifetime = Int(configuration.lifetime / .seconds(1))
        tokenBytes = configuration.tokenBytes
    }

    /// A request has arrived that is no control request.
    package mutating func receive(
        _ request: IncomingRequest,
        on origin: StandInTenant.Origin,
        at now: Moment
    ) -> Reception {
        let call = ledger.enter(request, origin: origin, at: now.elapsed)
        let carriedSecret = secrets.areCarried(by: request.body)
        ledger.note(call) { entry in entry.carriedSecret = carriedSecret }
        switch Route(request.target, on: origin) {
        case .token: return receiveMint(request, call, at: now)
        case .revocation: return receiveRevocation(request, call, at: now)
        case .currentUser: return .answer(currentUser(request, call, at: now.elapsed))
        case .redirected: return .answer(redirected(request, call, at: now))
        case .control, .unknown: return .answer(unknown(request, call, at: now))
        }
    }

    /// A call's latency has passed: whether its reply may go, or waits at the gate.
    package mutating func latencyPassed(_ call: CallNumber) -> Bool {
        guard let open = calls[call] else { return false }
        let held = gate.holds(call, value: open.value)
        ledger.counters.held = gate.count
        return !held
    }

    /// A call's reply goes out now.
    package mutating func answer(_ call: CallNumber, at now: Moment) throws -> ReplyScript {
        guard let open = calls[call] else { return ReplyScript([.reset]) }
        switch open.plan {
        case .reply(let behaviour):
            return compose(behaviour, call, at: now, closes: open.closes)
        case .revocation(let token):
            return revoke(token, call, at: now, closes: open.closes)
        case .play(let play, let key):
            let grant = try mint(play.behaviour, for: key, at: now)
            return compose(play.behaviour, call, at: now, closes: open.closes, grant)
        }
    }

    /// A call is over: its reply is written, or its connection has ended.
    package mutating func end(_ call: CallNumber, at now: ContinuousClock.Instant) {
        guard calls.removeValue(forKey: call) != nil else { return }
        gate.forget(call)
        ledger.counters.held = gate.count
        ledger.end(call, at: now)
    }
}

extension TenantMachine {
    /// Enters a call, and says how long its reply waits.
    mutating func open(
        _ call: CallNumber,
        _ plan: OpenCall.Plan,
        value: String?,
        text: String,
        request: IncomingRequest
    ) -> Reception {
        calls[call] = OpenCall(plan: plan, value: value, closes: !request.keepsAlive)
        ledger.begin()
        ledger.note(call) { entry in entry.behaviour = text }
        guard case .play(let play, _) = plan, let latency = play.latency else { return .delay(self.latency, call) }
        return .delay(latency, call)
    }

    /// Turns a behaviour into steps, and notes the status that they begin with.
    mutating func compose(
        _ behaviour: Behaviour,
        _ call: CallNumber,
        at now: Moment,
        closes: Bool,
        _ grant: Grant? = nil
    ) -> ReplyScript {
        let digits = String(call.value, radix: 16)
        let composer = ReplyComposer(
            behaviour,
            now: now.wall,
            trace: String(repeating: "0", count: max(0, 32 - digits.count)) + digits,
            destinations: destinations,
            closes: closes
        )
        let script = composer.script(grant)
        if case .send = script.steps.first {
            ledger.note(call) { entry in entry.status = behaviour.status }
        }
        return script
    }
}
