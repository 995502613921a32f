extension TokenCacheClient.ProvisionedUser {
    /// A user's status in the tenant.
    ///
    /// The set is open: a tenant may have a status that has no constant here.
    public struct Status: RawRepresentable, Sendable, Hashable {
        /// The status as the tenant writes it.
        public let rawValue: String

        /// Creates a status from the tenant's text.
        ///
        /// Any text is a status.
        public init(rawValue: String) { self.rawValue = rawValue }
    }
}

extension TokenCacheClient.ProvisionedUser.Status: CustomStringConvertible {
    /// The user may use the tenant.
    public static let active = TokenCacheClient.ProvisionedUser.Status(rawValue: "active")
    /// The user was invited and has not been in the tenant yet.
    public static let invited = TokenCacheClient.ProvisionedUser.Status(rawValue: "invited")

    /// The status as the tenant writes it.
    public var description: String { rawValue }
}
