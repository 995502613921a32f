import FoundationEssentials
import NIOHTTP1

/// The decisions of the stand-in: the reply to each request, and its time.
///
/// It does no I/O and has no clock. A call is three events: ``receive(_:on:at:)``, ``latencyPassed(_:)`` and
/// ``answer(_:at:)``. ``end(_:)`` closes it, after its reply or at an earlier end of its connection.
struct TenantMachine: Sendable {
    /// The consequence of a request.
    enum Reception: Sendable {
        case answer([ReplyStep])
        case delay(Duration, call: Int)  // A call, whose reply waits that long.
    }

    /// The scopes of the client that impersonates users.
    private static let clientScopes = ["user_default", "admin_classic"]
    static let tenantID = "stand-in"
    private static let usualLifetime = 21_600
    private static let usualTokenBytes = 1_024

    var log = RequestLog()
    var tokens = IssuedTokens()
    var scripts = ScriptBook()
    var held = HeldReplies()
    var clients: ClientRegistry
    var users = UserDirectory()
    var rules = UserRules()
    var nextLinks = StandInTenant.NextLinks.absolute
    /// The limits on calls of the tiers that have one.
    var allowances: [StandInTenant.Tier: CallAllowance] = [:]
    var latency: Duration
    var lifetime = Self.usualLifetime
    var tokenBytes = Self.usualTokenBytes
    private(set) var minter: TokenMinter
    let baseURL: String
    let otherOriginURL: String
    private let clockOffset: Int
    private var calls: [Int: OpenCall] = [:]

    var counters: StandInTenant.Counters {
        var counters = log.counters
        counters.held = held.calls.count
        return counters
    }

    /// A tenant at its start.
    init(_ configuration: StandInTenant.Configuration, baseURL: String, otherOriginURL: String, at now: Date) throws {
        self.baseURL = baseURL
        self.otherOriginURL = otherOriginURL
        let main = StandInTenant.Client(
            id: configuration.clientID,
            secrets: configuration.clientSecrets,
            keys: configuration.clientKeys,
            scopes: Self.clientScopes,
            impersonates: true
        )
        clients = try ClientRegistry(main: main, others: configuration.clients, audience: baseURL + Route.tokenPath)
        minter = TokenMinter(issuer: baseURL)
        latency = configuration.latency
        clockOffset = configuration.clockOffset
        setLimit(configuration.rateLimit, of: .tokens, at: now)
        setLimit(configuration.apiRateLimit, of: .api, at: now)
        rules.isStrict = configuration.users == .strict
    }

    /// Sets the limit on the calls of a tier, with a full bucket, or switches it off.
    mutating func setLimit(_ limit: StandInTenant.RateLimit?, of tier: StandInTenant.Tier, at now: Date) {
        allowances[tier] = limit.map { limit in CallAllowance(limit, at: now) }
    }

    /// Takes a request that has arrived and is not a control request.
    mutating func receive(_ request: IncomingRequest, on origin: StandInTenant.Origin, at now: Date) -> Reception {
        let call = log.add(request, origin: origin, carriedSecret: carriesSecret(request))
        let reply: Behaviour
        switch Route(request.head.uri, on: origin) {
        case .token: return open(call, receiveMint(request, call, at: now), request)
        case .revocation: return open(call, receiveRevocation(request, call, at: now), request)
        case .api: return open(call, receiveAPI(request, call, at: now), request)
        case .redirected:
            log.counters.redirectsFollowed += 1
            reply = rejection(of: call, 400, "a redirect was followed to \(request.head.uri)")
        case .home: reply = home(call)
        case .control, .unknown: reply = rejection(of: call, 404, "there is no \(request.head.uri)")
        }
        return .answer(compose(reply, call, at: now, closes: !request.head.isKeepAlive))
    }

    /// Returns true if a call's reply may be sent now that its latency has passed, and false if it is held.
    mutating func latencyPassed(_ call: Int) -> Bool {
        guard let open = calls[call] else { return false }
        return !held.add(call, value: open.value, operation: open.operation)
    }

    /// Returns a call's reply, which is sent now.
    mutating func answer(_ call: Int, at now: Date) throws -> [ReplyStep] {
        guard let open = calls[call] else { return [.reset] }
        switch open.plan {
        case .reply(let behaviour): return compose(behaviour, call, at: now, closes: open.closes)
        case .revoke(let token): return compose(revoke(token, at: now), call, at: now, closes: open.closes)
        case .perform(let behaviour, let request, let bearer):
            let reply = perform(request, behaviour, for: bearer, at: now)
            return compose(reply, call, at: now, closes: open.closes)
        case .mint(let behaviour, let request):
            guard behaviour.mints else { return compose(behaviour, call, at: now, closes: open.closes) }
            if let denial = impersonationDenial(of: request.key, at: now) {
                return compose(denial, call, at: now, closes: open.closes)
            }
            let grant = try mint(behaviour, for: request, at: now)
            return compose(behaviour, call, at: now, closes: open.closes, grant)
        }
    }

    /// Closes a call whose reply is written or whose connection has ended.
    mutating func end(_ call: Int) {
        guard calls.removeValue(forKey: call) != nil else { return }
        held.remove(call)
        log.counters.inProgress -= 1
    }
}

extension TenantMachine {
    private mutating func open(_ call: Int, _ open: OpenCall, _ request: IncomingRequest) -> Reception {
        calls[call] = open
        calls[call]?.closes = !request.head.isKeepAlive
        log.counters.inProgress += 1
        log.counters.peakConcurrency = max(log.counters.peakConcurrency, log.counters.inProgress)
        log.note(call) { entry in entry.behaviour = open.text }
        return .delay(open.latency ?? latency, call: call)
    }

    /// Returns true if a request contains an accepted secret or a token that was issued here.
    private func carriesSecret(_ request: IncomingRequest) -> Bool {
        let text = String(decoding: request.body, as: UTF8.self)
        let words = request.head.headers["authorization"].flatMap { $0.split(separator: " ") }
        return clients.secrets.contains { text.contains($0) } || words.contains { tokens[String($0)] != nil }
    }

    /// Makes the token for a call.
    private mutating func mint(_ behaviour: Behaviour, for request: MintRequest, at now: Date) throws -> Grant {
        let (form, key) = (behaviour.form, request.key)
        let seconds = form.lifetime ?? lifetime
        var scope = key.scope ?? clients.scope(of: request.clientID)
        if case .other(let granted) = form.scope { scope = granted }
        var token = try minter.mint(
            for: key,
            scope: scope,
            at: now.addingTimeInterval(Double(clockOffset + behaviour.clockOffset)),
            lifetime: seconds,
            bytes: form.tokenBytes ?? tokenBytes
        )
        token += form.tokenSuffix
        let end = now.addingTimeInterval(Double(seconds))
        tokens.add(token, for: key, scope: scope, until: end, revocationStatus: form.revocationStatus)
        log.counters.mints += 1
        log.counters.mintsByKey[key, default: 0] += 1
        return Grant(token: token, scope: scope, lifetime: seconds, refreshToken: minter.refreshToken())
    }

    /// Notes that a request's path is one that no correct client uses, and returns the reply.
    private mutating func rejection(of call: Int, _ status: Int, _ violation: String) -> Behaviour {
        log.note(call, violations: [violation])
        log.note(call) { entry in entry.behaviour = "violation" }
        return .error(status, "OAUTH-1", "Invalid request", violation)
    }

    /// Turns a behaviour into steps, and notes the status with which they begin.
    private mutating func compose(
        _ behaviour: Behaviour,
        _ call: Int,
        at now: Date,
        closes: Bool,
        _ grant: Grant? = nil
    ) -> [ReplyStep] {
        let tenantNow = now.addingTimeInterval(Double(clockOffset + behaviour.clockOffset))
        var composer = ReplyComposer(behaviour, now: tenantNow)
        composer.call = call
        composer.grant = grant
        composer.locations = [.same: baseURL + Route.movedPath, .other: otherOriginURL + Route.tokenPath]
        composer.closes = closes
        let steps = composer.steps
        if case .send = steps.first { log.note(call) { entry in entry.status = behaviour.status } }
        return steps
    }
}
