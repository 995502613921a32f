import FoundationEssentials

extension TenantMachine {
    /// Returns the tenant with the settings of a control request, or throws at the first one that is wrong.
    func changed(by settings: [String: JSONValue], at now: Date) throws -> TenantMachine {
        var machine = self
        for (name, value) in settings {
            do {
                try machine.set(name, to: value, settings, at: now)
            } catch {
                throw StandInTenant.Fault("\(name): \(error)")
            }
        }
        return machine
    }

    private mutating func set(_ name: String, to value: JSONValue, _ all: [String: JSONValue], at now: Date) throws {
        switch name {
        case "behaviour": scripts.setUsual(try BehaviourTable.script(value.asText()))
        case "behaviours":
            for (user, script) in try value.asObject() {
                scripts.set(try BehaviourTable.script(script.asText()), forValue: user)
            }
        case "script": scripts.setNextCalls(try BehaviourTable.script(value.asText()))
        case "revocation": scripts.setRevocation(try BehaviourTable.script(value.asText()))
        case "latency_ms": latency = .milliseconds(try value.asInteger(in: 0...86_400_000))
        case "lifetime": lifetime = try value.asInteger(in: 1...1_000_000_000)
        case "token_bytes": tokenBytes = try value.asInteger(in: 600...1_000_000)
        case "secrets":
            try clients.setSecrets(value.asArray().map { try $0.asText() })
        case "rate_per_minute": setLimit(try Self.rateLimit(value, burst: all["burst"]), of: .tokens, at: now)
        case "api_rate_per_minute": setLimit(try Self.rateLimit(value, burst: all["api_burst"]), of: .api, at: now)
        // They are set together with the rates.
        case "burst" where all["rate_per_minute"] != nil, "api_burst" where all["api_rate_per_minute"] != nil: break
        default:
            guard try setUserSetting(name, to: value) else {
                throw StandInTenant.Fault("there is no such setting, or it needs another one")
            }
        }
    }

    /// Reads a rate limit, which `null` switches off.
    private static func rateLimit(_ rate: JSONValue, burst: JSONValue?) throws -> StandInTenant.RateLimit? {
        let range = 1...10_000_000
        let burst = try burst?.asInteger(in: range)
        return rate == .null ? nil : .init(perMinute: try rate.asInteger(in: range), burst: burst)
    }
}
