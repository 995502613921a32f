extension TokenCacheClient {
    /// The owner of a token: a user of the tenant by one of two names, or an OAuth client.
    ///
    /// The names are not interchangeable: a user ID that is passed as a subject names nobody, or somebody else.
    public enum User: Sendable, Hashable {
        /// The subject by which the identity provider knows the user, such as `auth0|alice`: 1 to 1,024 bytes.
        case subject(String)
        /// The tenant's own ID of the user: 1 to 1,024 bytes.
        case userID(String)
        /// No user but an OAuth client, by its name under `clients` in the daemon's configuration.
        ///
        /// The token is the client's own. It is for work that the application does in its own name.
        case client(String)
    }
}
