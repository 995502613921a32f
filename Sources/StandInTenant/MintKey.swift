extension StandInTenant {
    /// How a request names its user.
    package enum LookupField: String, Sendable, Hashable, CaseIterable {
        /// By the identity provider's subject.
        case subject
        /// By the tenant's own id of the user.
        case userID = "userId"
    }

    /// What calls and mints are counted by: the user and the scope of a request, exactly as it named them.
    package struct MintKey: Sendable, Hashable {
        /// How the user is named.
        package var field: LookupField
        /// The subject or the user id.
        package var value: String
        /// The text of `scope`; nothing where the request had none.
        package var scope: String?

        /// Names a key.
        package init(field: LookupField = .subject, value: String, scope: String? = nil) {
            self.field = field
            self.value = value
            self.scope = scope
        }

        /// Whether the key is a given user's, for one scope or, where none is given, any.
        func belongs(to field: LookupField, _ value: String, scope: String?) -> Bool {
            self.field == field && self.value == value && (scope == nil || self.scope == scope)
        }
    }
}
