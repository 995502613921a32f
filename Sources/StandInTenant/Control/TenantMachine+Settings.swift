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
            guard case .array(let secrets) = value else { throw StandInTenant.Fault("the value should be an array") }
            try setSecrets(secrets.map { try $0.asText() })
        case "rate_per_minute":
            let limit = try Self.rateLimit(value, burst: all["burst"])
            allowance = limit.map { limit in CallAllowance(limit, at: now) }
        case "burst" where all["rate_per_minute"] != nil: break  // It is set together with the rate.
        default: throw StandInTenant.Fault("there is no such setting, or it needs another one")
        }
    }

    /// Reads a rate limit, which `null` switches off.
    private static func rateLimit(_ rate: JSONValue, burst: JSONValue?) throws -> StandInTenant.RateLimit? {
        let range = 1...10_000_000
        let burst = try burst?.asInteger(in: range)
        return rate == .null ? nil : .init(perMinute: try rate.asInteger(in: range), burst: burst)
    }
}

extension JSONValue {
    /// Returns the text of a string, or throws.
    func asText() throws -> String {
        guard let text else { throw StandInTenant.Fault("the value should be a string") }
        return text
    }

    /// Returns a whole number in a range, or throws.
    func asInteger(in range: ClosedRange<Int>) throws -> Int {
        guard let integer, range.contains(integer) else {
            throw StandInTenant.Fault("the value should be a whole number in \(range)")
        }
        return integer
    }

    /// Returns the members of an object, or throws.
    func asObject() throws -> [String: JSONValue] {
        guard case .object(let members) = self else { throw StandInTenant.Fault("the value should be an object") }
        return members
    }
}
