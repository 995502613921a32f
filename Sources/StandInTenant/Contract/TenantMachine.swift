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

    /// A client of the tenant can have that many live secrets.
    private static let maximumSecrets = 5
    /// The scopes of a token that was requested without any.
    private static let clientScopes = "user_default admin_classic"
    private static let usualLifetime = 21_600
    private static let usualTokenBytes = 1_024

    var log = RequestLog()
    var tokens = IssuedTokens()
    var scripts = ScriptBook()
    var held = HeldReplies()
    var keys: ClientKeys
    var allowance: CallAllowance?
    var latency: Duration
    var lifetime = Self.usualLifetime
    var tokenBytes = Self.usualTokenBytes
    private(set) var secrets: [String] = []
    private(set) var minter: TokenMinter
    let clientID: String
    let baseURL: String
    private let otherOriginURL: String
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
        clientID = configuration.clientID
        keys = try ClientKeys(configuration.clientKeys)
        minter = TokenMinter(issuer: baseURL)
        latency = configuration.latency
        clockOffset = configuration.clockOffset
        allowance = configuration.rateLimit.map { limit in CallAllowance(limit, at: now) }
        try setSecrets(configuration.clientSecrets)
    }

    /// Sets the secrets that are accepted.
    mutating func setSecrets(_ secrets: [String]) throws {
        guard (1...Self.maximumSecrets).contains(secrets.count), !secrets.contains("") else {
            throw StandInTenant.Fault("a client has one to \(Self.maximumSecrets) secrets, none of them empty")
        }
        self.secrets = secrets
    }

    /// Takes a request that has arrived and is not a control request.
    mutating func receive(_ request: IncomingRequest, on origin: StandInTenant.Origin, at now: Date) -> Reception {
        let text = String(decoding: request.body, as: UTF8.self)
        let call = log.add(request, origin: origin, carriedSecret: secrets.contains { text.contains($0) })
        let reply: Behaviour
        switch Route(request.head.uri, on: origin) {
        case .token: return open(call, receiveMint(request, call, at: now), request)
        case .revocation: return open(call, receiveRevocation(request, call, at: now), request)
        case .currentUser: reply = currentUser(request, call, at: now)
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
        return !held.add(call, value: open.value)
    }

    /// Returns a call's reply, which is sent now.
    mutating func answer(_ call: Int, at now: Date) throws -> [ReplyStep] {
        guard let open = calls[call] else { return [.reset] }
        switch open.plan {
        case .reply(let behaviour): return compose(behaviour, call, at: now, closes: open.closes)
        case .revoke(let token): return compose(revoke(token, at: now), call, at: now, closes: open.closes)
        case .mint(let behaviour, let key):
            let grant = behaviour.mints ? try mint(behaviour, for: key, at: now) : nil
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

    /// Makes the token for a call.
    private mutating func mint(_ behaviour: Behaviour, for key: StandInTenant.MintKey, at now: Date) throws -> Grant {
        let form = behaviour.form
        let seconds = form.lifetime ?? lifetime
        var scope = key.scope ?? Self.clientScopes
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
        tokens.add(token, until: end, revocationStatus: form.revocationStatus)
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
