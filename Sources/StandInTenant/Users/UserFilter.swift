/// A condition on users: the part of RFC 7644, section 3.4.2.2, that the tenant knows.
///
/// Comparisons ignore upper and lower case, as the tenant's do, and different encodings of a character.
indirect enum UserFilter: Sendable, Equatable {
    /// An attribute that can be compared.
    enum Field: String, Sendable, CaseIterable {
        case id, subject, name, email, status

        /// True if a part of it can be looked for.
        var isText: Bool { self == .subject || self == .name || self == .email }
    }

    case equals(Field, String)
    case contains(Field, String)
    case and([UserFilter])
    case or([UserFilter])
    case group(UserFilter)  // In parentheses.

    /// Returns true for a user who meets the condition.
    func matches(_ user: StandInTenant.User) -> Bool {
        switch self {
        case .equals(let field, let text): Self.value(field, of: user)?.lowercased() == text.lowercased()
        case .contains(let field, let text):
            Self.value(field, of: user)?.lowercased().contains(text.lowercased()) ?? false
        case .and(let parts): parts.allSatisfy { $0.matches(user) }
        case .or(let parts): parts.contains { $0.matches(user) }
        case .group(let inner): inner.matches(user)
        }
    }

    /// All comparisons in the order of the text.
    var comparisons: [(field: Field, text: String)] {
        switch self {
        case .equals(let field, let text), .contains(let field, let text): [(field, text)]
        case .and(let parts), .or(let parts): parts.flatMap(\.comparisons)
        case .group(let inner): inner.comparisons
        }
    }

    /// True if it says which states a user may have.
    var namesStatus: Bool { comparisons.contains { $0.field == .status } }

    /// The text of the first comparison with something other than a state.
    var firstValue: String? { comparisons.first { $0.field != .status }?.text }

    /// Throws unless conditions on the state stand alone, in parentheses, and apply to the whole filter.
    func checkStatusConditions() throws(StandInTenant.Fault) {
        var parts = [self]
        if case .and(let conjuncts) = self { parts = conjuncts }
        let groups = parts.filter(\.namesStatus)
        guard groups.count <= 1, groups.allSatisfy(\.isStatusGroup) else {
            throw StandInTenant.Fault("the filter's conditions on status are not one group that applies to all of it")
        }
    }

    private var isStatusGroup: Bool {
        guard case .group(let inner) = self else { return false }
        let parts = if case .or(let alternatives) = inner { alternatives } else { [inner] }
        return parts.allSatisfy { part in
            if case .equals(.status, _) = part { true } else { false }
        }
    }

    private static func value(_ field: Field, of user: StandInTenant.User) -> String? {
        switch field {
        case .id: user.id
        case .subject: user.subject
        case .name: user.name
        case .email: user.email
        case .status: user.status.rawValue
        }
    }
}

extension UserFilter {
    /// Reads a filter.
    init(parsing text: String) throws(StandInTenant.Fault) {
        var parser = UserFilterParser(text)
        self = try parser.parse()
        try checkStatusConditions()
    }
}
