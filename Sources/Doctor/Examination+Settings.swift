extension Examination {
    /// The objects of an examination.
    package struct Settings: Sendable {
        /// The configuration file, or nil for that of the unit or the package.
        package var configuration: String?
        /// The only tenant to look at, or nil for all.
        package var tenant: String?
        /// The user for whom the daemon is asked for a token, or nil for none.
        package var subject: String?
        /// The path of the applications' socket, or nil for that of the configuration.
        package var requestsPath: String?
        /// The path of the operators' socket, or nil for that of the configuration.
        package var adminPath: String?
        /// This process's environment.
        package var environment: [String: String] = [:]
        /// The tool's own version.
        package var toolVersion: String

        /// Creates settings that name nothing.
        package init(toolVersion: String) { self.toolVersion = toolVersion }
    }
}
