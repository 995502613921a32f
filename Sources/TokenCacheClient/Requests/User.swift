extension TokenCacheClient {
    /// A user of the tenant, by one of two names.
    ///
    /// The two are not interchangeable: a user ID that is passed as a subject names nobody, or somebody else.
    public enum User: Sendable, Hashable {
        /// The subject by which the identity provider knows the user, such as `auth0|alice`: 1 to 1,024 bytes.
        case subject(String)
        /// The tenant's own ID of the user: 1 to 1,024 bytes.
        case userID(String)
    }
}
