/// A JSON patch of a user.
struct UserPatch: Sendable, Equatable {
    /// One operation of a patch.
    enum Change: Sendable, Equatable {
        case addGroups([GroupReference])
        case removeGroups([GroupReference])
        case replaceGroups([GroupReference])
        case rename(String)
        case setStatus(StandInTenant.User.Status)

        /// True if it replaces a value as a whole.
        var isReplacement: Bool {
            switch self {
            case .addGroups, .removeGroups: false
            case .replaceGroups, .rename, .setStatus: true
            }
        }
    }

    /// A group as a patch names it.
    struct GroupReference: Sendable, Equatable {
        var name: String
        var provider: StandInTenant.User.Provider?
    }

    var changes: [Change]

    /// The first operation or, if there is only one, the first half of its groups, none of a single one.
    var firstHalf: [Change] {
        guard changes.count == 1 else { return Array(changes.prefix(1)) }
        return switch changes[0] {
        case .addGroups(let groups): [.addGroups(Array(groups.prefix(groups.count / 2)))]
        case .removeGroups(let groups): [.removeGroups(Array(groups.prefix(groups.count / 2)))]
        case .replaceGroups(let groups): [.replaceGroups(Array(groups.prefix(groups.count / 2)))]
        case .rename, .setStatus: []
        }
    }

    /// Reads a patch, of which every operation must be right.
    init(_ body: JSONValue) throws(StandInTenant.Fault) {
        guard case .array(let elements) = body, !elements.isEmpty else {
            throw StandInTenant.Fault("the patch is no array, or an empty one")
        }
        changes = []
        for element in elements { changes.append(try Self.change(element)) }
    }

    private static func change(_ element: JSONValue) throws(StandInTenant.Fault) -> Change {
        guard case .object(let members) = element, Set(members.keys) == ["op", "path", "value"],
            let operation = members["op"]?.text, let path = members["path"]?.text, let value = members["value"]
        else { throw StandInTenant.Fault("an operation of the patch has other members than op, path and value") }
        switch (operation, path) {
        case ("add", "/assignedGroups"): return .addGroups(try groups(value))
        case ("remove-value", "/assignedGroups"): return .removeGroups(try groups(value))
        case ("replace", "/assignedGroups"): return .replaceGroups(try groups(value))
        case ("replace", "/name"):
            guard let name = value.text, !name.isEmpty else { throw StandInTenant.Fault("/name is no text") }
            return .rename(name)
        case ("replace", "/status"):
            guard let status = value.text.flatMap({ StandInTenant.User.Status(rawValue: $0) }) else {
                throw StandInTenant.Fault("/status is unknown")
            }
            return .setStatus(status)
        default: throw StandInTenant.Fault("the patch has \(operation) of \(path)")
        }
    }

    private static func groups(_ value: JSONValue) throws(StandInTenant.Fault) -> [GroupReference] {
        guard case .array(let elements) = value else { throw StandInTenant.Fault("/assignedGroups is no array") }
        var groups: [GroupReference] = []
        for element in elements {
            guard case .object(let members) = element, Set(members.keys).isSubset(of: ["name", "providerType"]),
                let name = members["name"]?.text, !name.isEmpty
            else { throw StandInTenant.Fault("a group of the patch has other members than name and providerType") }
            let provider = members["providerType"]?.text.flatMap { StandInTenant.User.Provider(rawValue: $0) }
            guard members["providerType"] == nil || provider != nil else {
                throw StandInTenant.Fault("a group of the patch has an unknown providerType")
            }
            groups.append(GroupReference(name: name, provider: provider))
        }
        return groups
    }
}

extension UserPatch.Change {
    /// Changes a user.
    func apply(to user: inout StandInTenant.User) {
        switch self {
        case .addGroups(let groups): user.groups += Self.assigned(groups).filter { !user.groups.contains($0) }
        case .replaceGroups(let groups): user.groups = Self.assigned(groups)
        case .removeGroups(let groups):
            user.groups.removeAll { assigned in
                groups.contains { $0.name == assigned.name && [assigned.provider, nil].contains($0.provider) }
            }
        case .rename(let name): user.name = name
        case .setStatus(let status): user.status = status
        }
    }

    /// The groups of a patch, each once.
    ///
    /// A group without a provider comes from the identity provider.
    private static func assigned(_ references: [UserPatch.GroupReference]) -> [StandInTenant.User.Group] {
        references.reduce(into: []) { groups, reference in
            let group = StandInTenant.User.Group(reference.name, reference.provider ?? .identityProvider)
            if !groups.contains(group) { groups.append(group) }
        }
    }
}
