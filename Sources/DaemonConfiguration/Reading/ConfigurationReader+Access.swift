/// The section `access`.
extension ConfigurationReader {
    /// Reads the rules of `access`.
    ///
    /// - Parameters:
    ///   - names: The names of all tenants, also of those with faults.
    ///   - tenants: The tenants without faults.
    mutating func readAccess(
        _ item: Item?,
        names: Set<String>,
        tenants: [String: DaemonConfiguration.Tenant]
    ) -> [DaemonConfiguration.AccessRule]? {
        guard let item else { return nil }
        guard let elements = item.elements else {
            note(item, "should be a list of rules")
            return nil
        }
        return elements.map { readRule($0, names: names, tenants: tenants) }
    }

    private mutating func readRule(
        _ item: Item,
        names: Set<String>,
        tenants: [String: DaemonConfiguration.Tenant]
    ) -> DaemonConfiguration.AccessRule {
        var rule = DaemonConfiguration.AccessRule(line: item.line)
        section(item, AccessSettings.all, &rule) { reader, section, rule in
            rule.tenants = reader.texts(
                section.take("tenants"),
                "names of configured tenants",
                isValid: names.contains,
                suggestion: { names.sorted().suggestion(for: $0) }
            )
            let allowed = tenants.filter { rule.tenants?.contains($0.key) ?? true }.values
            rule.clients = reader.clients(section.take("clients"), of: Set(allowed.flatMap(\.clients.keys)).sorted())
        }
        return rule
    }

    /// Reads a list of names of clients.
    private mutating func clients(_ item: Item?, of known: [String]) -> [String]? {
        let names = texts(item, "names of clients of the rule's tenants")
        for element in item?.elements ?? [] {
            guard let name = element.text, !name.isEmpty, !known.contains(name) else { continue }
            let nearest = known.suggestion(for: name)
            note(element, "'\(name.forMessage)' is no client of a tenant that the rule allows\(nearest)")
        }
        return names
    }
}
