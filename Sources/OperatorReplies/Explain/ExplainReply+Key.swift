extension ExplainReply {
    /// The key that is explained, with the default tenant and scopes in place if the request named none.
    package struct Key: Sendable, Equatable, Codable {
        /// The tenant's name in the daemon's configuration.
        package var tenant: String
        /// The subject, or nil if the key isn't named by one.
        package var subject: String?
        /// The tenant's ID of the user, or nil if the key isn't named by one.
        package var userID: String?
        /// The name of the further client whose own token is meant, or nil for a user's.
        package var client: String?
        /// The scopes, separated by spaces, or empty for all scopes that a client has.
        package var scope: String

        /// Creates a key with one of the two names of a user, or with the name of a client.
        package init(
            tenant: String,
            subject: String? = nil,
            userID: String? = nil,
            client: String? = nil,
            scope: String
        ) {
            self.tenant = tenant
            self.subject = subject
            self.userID = userID
            self.client = client
            self.scope = scope
        }

        private enum CodingKeys: String, CodingKey {
            case tenant
            case subject
            case userID = "user_id"
            case client
            case scope
        }
    }
}
