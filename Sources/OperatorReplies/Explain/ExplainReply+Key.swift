extension ExplainReply {
    /// The key that is explained, with the default tenant and scopes in place if the request named none.
    package struct Key: Sendable, Equatable, Codable {
        /// The tenant's name in the daemon's configuration.
        package var tenant: String
        /// The subject, or nil if the user is named by the tenant's ID.
        package var subject: String?
        /// The tenant's ID of the user, or nil if the user is named by the subject.
        package var userID: String?
        /// The scopes, separated by spaces.
        package var scope: String

        /// Creates a key with one of the two names of a user.
        package init(tenant: String, subject: String? = nil, userID: String? = nil, scope: String) {
            self.tenant = tenant
            self.subject = subject
            self.userID = userID
            self.scope = scope
        }

        private enum CodingKeys: String, CodingKey {
            case tenant
            case subject
            case userID = "user_id"
            case scope
        }
    }
}
