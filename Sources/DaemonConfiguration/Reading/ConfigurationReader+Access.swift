/// The section `access`.
extension ConfigurationReader {
    /// Reads the rules of `access`.
    mutating func readAccess(_ item: Item?, tenants: Set<String>) -> [DaemonConfiguration.AccessRule]? {
        guard let item else { return nil }
        guard let elements = item.elements else {
            note(item, "should be a list of rules")
            return nil
        }
        return elements.map { readRule($0, tenants: tenants) }
    }

    private mutating func readRule(_ item: Item, tenants: Set<String>) -> DaemonConfiguration.AccessRule {
        var rule = DaemonConfiguration.AccessRule(line: item.line)
        section(item, AccessSettings.all, &rule) { reader, section, rule in
            rule.tenants = reader.texts(
                section.take("tenants"),
                "names of configured tenants",
                isValid: tenants.contains
            )
        }
        return rule
    }
}
