extension DaemonConfiguration {
    /// One rule of the section `access`, with nil for each list that is missing.
    package struct AccessRule: Sendable, Equatable {
        /// The line at which the rule begins.
        package var line: Int?
        /// Users by name or number.
        package var users: [String]?
        /// Groups by name or number.
        package var groups: [String]?
        /// Patterns for systemd units.
        package var units: [String]?
        /// Names of tenants.
        package var tenants: [String]?
        /// Single scopes.
        package var scopes: [String]?
        /// Patterns for subjects.
        package var subjects: [String]?
        /// Patterns for user ids.
        package var userIDs: [String]?
        /// Names of further clients of the tenants.
        package var clients: [String]?
        /// Names of operations.
        package var operations: [String]?
    }
}
