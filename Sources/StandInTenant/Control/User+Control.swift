import FoundationEssentials

extension StandInTenant.User {
    /// The members of a user in a control request.
    private static let members: Set = ["id", "subject", "name", "email", "status", "groups"]

    /// Reads a user of a control request.
    init(control value: JSONValue) throws {
        let members = try value.asObject(of: Self.members)
        guard let subject = try members["subject"]?.asText() else { throw StandInTenant.Fault("subject is missing") }
        self.init(id: try members["id"]?.asText() ?? "", subject: subject)
        try change(members)
    }

    /// Changes the members that a control request has, of which the subject and the id only name the user.
    mutating func change(_ members: [String: JSONValue]) throws {
        if let value = members["name"] { name = try value.asText() }
        if let value = members["email"] { email = value == .null ? nil : try value.asText() }
        if let value = members["status"] { status = try value.asChoice(Status.self) }
        if let value = members["groups"] { groups = try value.asArray().map(Group.init(control:)) }
    }

    /// Reads the change of a control request, and returns the user's id with it.
    static func change(control body: [String: JSONValue]) throws -> (id: String, change: [String: JSONValue]) {
        let members = try JSONValue.object(body).asObject(of: Self.members.subtracting(["subject"]))
        guard let id = try members["id"]?.asText() else { throw StandInTenant.Fault("id is missing") }
        return (id, members)
    }

    /// The user as JSON, for control requests.
    var json: String {
        JSONText.object([
            "id": JSONText.string(id), "subject": JSONText.string(subject), "name": JSONText.string(name),
            "email": email.map(JSONText.string), "status": JSONText.string(status.rawValue),
            "groups": JSONText.array(groups.map(\.json)),
        ])
    }
}

extension StandInTenant.User.Group {
    /// Reads a group of a control request: a name, or an object with the provider, too.
    init(control value: JSONValue) throws {
        if let name = value.text {
            self.init(name)
        } else {
            let members = try value.asObject(of: ["name", "provider"])
            let provider = try members["provider"]?.asChoice(StandInTenant.User.Provider.self)
            guard let name = try members["name"]?.asText() else { throw StandInTenant.Fault("a group has no name") }
            self.init(name, provider ?? .custom)
        }
    }

    fileprivate var json: String {
        JSONText.object(["name": JSONText.string(name), "provider": JSONText.string(provider.rawValue)])
    }
}
