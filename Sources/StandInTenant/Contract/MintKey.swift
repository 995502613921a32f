extension StandInTenant {
    /// The way in which a request names whose token it asks for.
    package enum LookupField: String, Sendable, Hashable, Encodable {
        case subject  // The identity provider's.
        case userID = "userId"  // The tenant's own.
        case client  // No user, but the client itself.
    }

    /// The user, or the client by its id, and the scope of a request, exactly as it named them.
    ///
    /// Calls and mints are counted by it.
    package struct MintKey: Sendable, Hashable, Encodable {
        package var field: LookupField
        package var value: String
        package var scope: String?

        package init(field: LookupField = .subject, value: String, scope: String? = nil) {
            self.field = field
            self.value = value
            self.scope = scope
        }
    }
}
