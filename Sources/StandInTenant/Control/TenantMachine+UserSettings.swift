import FoundationEssentials

extension TenantMachine {
    /// Sets what a control request says about clients, users and the API, and returns false for another setting.
    mutating func setUserSetting(_ name: String, to value: JSONValue) throws -> Bool {
        let (statuses, delays) = (400...599, 0...86_400_000)
        switch name {
        case "clients": try clients.set(value.asArray().map(StandInTenant.Client.init(control:)))
        case "users": rules.isStrict = try value.asChoice(StandInTenant.Users.self) == .strict
        case "unknown_user_status": rules.unknownStatus = try value.asInteger(in: statuses)
        case "existing_user_status": rules.existingStatus = try value.asInteger(in: statuses)
        case "subjects_ignore_case": rules.ignoresCase = try value.asBoolean()
        case "listed_after_ms": rules.listedAfter = .milliseconds(try value.asInteger(in: delays))
        case "usable_after_ms": rules.usableAfter = .milliseconds(try value.asInteger(in: delays))
        case "next_links": nextLinks = try value.asChoice(StandInTenant.NextLinks.self)
        case "operations":
            for (name, script) in try value.asObject() {
                let operation = try JSONValue.string(name).asChoice(StandInTenant.Operation.self)
                scripts.set(try BehaviourTable.script(ofOperation: script.asText()), for: operation)
            }
        default: return false
        }
        return true
    }
}

extension StandInTenant.Client {
    /// Reads a client of a control request.
    init(control value: JSONValue) throws {
        let members = try value.asObject(of: ["id", "secrets", "keys", "scopes", "impersonates"])
        let texts = { (name: String) in try members[name]?.asArray().map { try $0.asText() } ?? [] }
        self.init(
            id: try members["id"]?.asText() ?? "",
            secrets: try texts("secrets"),
            keys: try texts("keys"),
            scopes: try texts("scopes"),
            impersonates: try members["impersonates"]?.asBoolean() ?? false
        )
    }
}
