extension StandInTenant {
    /// An OAuth client of the tenant.
    package struct Client: Sendable {
        package var id: String
        /// The secrets that are accepted, at most five.
        package var secrets: [String]
        /// The public keys in PEM form, P-384 or RSA, for assertions in place of a secret.
        package var keys: [String]
        /// The scopes that it may ask for, and that it gets if it asks for none.
        package var scopes: [String]
        /// True if it may ask for users' tokens, too.
        package var impersonates: Bool

        /// A client that gets tokens of its own.
        package init(
            id: String,
            secrets: [String] = [],
            keys: [String] = [],
            scopes: [String],
            impersonates: Bool = false
        ) {
            self.id = id
            self.secrets = secrets
            self.keys = keys
            self.scopes = scopes
            self.impersonates = impersonates
        }
    }
}
