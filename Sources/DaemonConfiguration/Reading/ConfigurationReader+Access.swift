/// The section `access`.
extension ConfigurationReader {
    /// Reads the rules of `access`.
    mutating func readAccess(_ item: Item?, tenants: [String]) -> [DaemonConfiguration.AccessRule]? {
        guard let item else { return nil }
        guard let elements = item.elements else {
            note(item, "should be a list of rules")
            return nil
        }
        return elements.map { readRule($0, tenants: tenants) }
    }

    private mutating func readRule(_ item: Item, tenants: [String]) -> DaemonConfiguration.AccessRule {
        let known = ["users", "groups", "units", "tenants", "scopes", "subjects", "user_ids", "operations"]
        let operations = ["token", "prefetch", "invalidate", "revoke"]
        var rule = DaemonConfiguration.AccessRule(line: item.line)
        section(item, known: known) { reader, section in
            rule.users = reader.texts(section.take("users"), "user names or numbers")
            rule.groups = reader.texts(section.take("groups"), "group names or numbers")
            rule.units = reader.texts(
                section.take("units"),
                "systemd units with their suffix, such as myapp.service"
            ) { $0 == "*" || $0.contains(".") && !$0.contains("/") }
            rule.tenants = reader.texts(
                section.take("tenants"),
                "names of configured tenants",
                isValid: tenants.contains
            )
            rule.scopes = reader.texts(section.take("scopes"), "OAuth scopes") { $0.isScopeList && !$0.contains(" ") }
            rule.subjects = reader.texts(section.take("subjects"), "patterns for subjects")
            rule.userIDs = reader.texts(section.take("user_ids"), "patterns for user ids")
            rule.operations = reader.texts(
                section.take("operations"),
                "operations: \(operations.joined(separator: ", "))",
                isValid: operations.contains
            )
        }
        return rule
    }
}
