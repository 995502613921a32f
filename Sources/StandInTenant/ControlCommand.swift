/// What a control request asks for.
///
/// Control requests come to the same server under `/_control/`. They are JSON, pass every limit, latency and gate, and
/// are neither counted nor listed. A member that isn't known is refused.
package enum ControlCommand: Sendable {
    /// `GET behaviours`: the table, as text.
    case behaviours
    /// `GET ca`: the authority's certificate, as PEM.
    case certificateAuthority
    /// `GET counters`.
    case counters
    /// `GET requests`.
    case requests
    /// `GET violations`.
    case violations
    /// `POST reset`: forget what was counted, begin scripts anew.
    case reset
    /// `POST settings`, with any of the settings; all of them are checked before one is changed.
    case settings([Setting], certificate: StandInTenant.TransportSecurity?)
    /// `POST hold`, for all or, with `{"value":…}`, for one subject or user id.
    case hold(String?)
    /// `POST release`, all or, with `{"count":n}`, the oldest.
    case release(Int?)
    /// `POST revoke` with `{"token":…}`.
    case revoke(String)
    /// `POST live` with `{"token":…}`.
    case live(String)
    /// `POST refuse` with `{"for_ms":n}`.
    case refuse(Duration)

    /// Reads a control request, the path given without its prefix.
    package init(_ path: String, _ request: IncomingRequest) throws {
        switch (request.method, path) {
        case ("GET", "behaviours"): self = .behaviours
        case ("GET", "ca"): self = .certificateAuthority
        case ("GET", "counters"): self = .counters
        case ("GET", "requests"): self = .requests
        case ("GET", "violations"): self = .violations
        case ("POST", "reset"): self = .reset
        default: self = try Self.command(path, ControlBody(request))
        }
    }

    private static func command(_ path: String, _ body: ControlBody) throws -> ControlCommand {
        var body = body
        let command: ControlCommand =
            switch path {
            case "settings": .settings(try settings(&body), certificate: try certificate(&body))
            case "hold": .hold(try body.string("value"))
            case "release": .release(try body.integer("count", 0...Int.max))
            case "revoke": .revoke(try body.required("token"))
            case "live": .live(try body.required("token"))
            case "refuse": .refuse(.milliseconds(try body.integer("for_ms", 0...86_400_000) ?? 1_000))
            default: throw StandInTenant.Fault("there is no control request \(path)")
            }
        try body.end()
        return command
    }

    private static func certificate(_ body: inout ControlBody) throws -> StandInTenant.TransportSecurity? {
        guard let name = try body.string("certificate") else { return nil }
        guard let kind = StandInTenant.TransportSecurity(rawValue: name) else {
            throw StandInTenant.Fault("certificate should be one of: valid, expired, wrong-name")
        }
        return kind
    }

    private static func settings(_ body: inout ControlBody) throws -> [Setting] {
        var settings: [Setting] = try body.string("behaviour").map { [.behaviour(try BehaviourTable.script($0))] } ?? []
        for (value, script) in try body.strings("behaviours") {
            settings.append(.valueBehaviour(value, try BehaviourTable.script(script)))
        }
        settings += try body.string("script").map { [.nextCalls(try BehaviourTable.script($0))] } ?? []
        settings += try body.string("revocation").map { [.revocation(try BehaviourTable.script($0))] } ?? []
        settings += try body.integer("latency_ms", 0...86_400_000).map { [.latency(.milliseconds($0))] } ?? []
        settings += try body.integer("lifetime", 1...1_000_000_000).map { [.lifetime(.seconds($0))] } ?? []
        settings += try body.integer("token_bytes", 600...1_000_000).map { [.tokenBytes($0)] } ?? []
        settings += try body.list("secrets").map { [.secrets(try ClientSecrets($0))] } ?? []
        settings += try rateLimit(&body).map { [.rateLimit($0)] } ?? []
        return settings
    }

    /// The limit: nothing where it isn't to be changed, an empty one where it is to be switched off.
    private static func rateLimit(_ body: inout ControlBody) throws -> StandInTenant.RateLimit?? {
        let burst = try body.integer("burst", 1...10_000_000)
        if body.takeNull("rate_per_minute") { return .some(nil) }
        guard let perMinute = try body.integer("rate_per_minute", 1...10_000_000) else {
            guard burst == nil else { throw StandInTenant.Fault("burst needs rate_per_minute") }
            return nil
        }
        return StandInTenant.RateLimit(perMinute: perMinute, burst: burst)
    }
}
