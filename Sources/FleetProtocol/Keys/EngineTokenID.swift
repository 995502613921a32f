/// The identity of a token within a tenant: the user and the scopes.
package struct EngineTokenID: Sendable, Hashable {
    /// The number of the field that names the user, such as `subject`.
    package var field: UInt8
    /// The user's name in that field.
    package var user: [UInt8]
    /// The requested scopes, sorted and joined by single spaces, or empty for all.
    package var scopes: String

    /// Creates an identity.
    package init(field: UInt8, user: [UInt8], scopes: String) {
        self.field = field
        self.user = user
        self.scopes = scopes
    }
}
