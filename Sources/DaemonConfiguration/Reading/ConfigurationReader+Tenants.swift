import TokenCache
import TokenProtocol

/// The section `tenants` and the key `default_tenant`.
extension ConfigurationReader {
    private static var maxNameCharacters: Int { 64 }
    /// The most names that a fault lists.
    private static var maxListed: Int { 10 }

    /// Reads `tenants`, `tenants_directory` and `default_tenant`.
    ///
    /// - Returns: The names of all tenants, also of those with faults.
    mutating func readTenants(_ file: inout Section, _ configuration: inout DaemonConfiguration) -> Set<String> {
        let defaultTenant = file.take("default_tenant")
        let (tenants, directory) = (file.take("tenants"), file.take("tenants_directory"))
        guard let first = tenants ?? directory else {
            note(1, "tenants", "is missing: name at least one tenant")
            return []
        }
        let own = tenants.map { readSection($0, isAlone: directory == nil, &configuration) } ?? []
        let further = directory.map { readDirectory($0, &configuration) } ?? []
        guard let own, let further else { return Set((own ?? []) + (further ?? [])) }
        let names = Set(own + further)
        if names.isEmpty {
            note(first.line, "tenants", "is missing: tenants_directory has none, so name at least one tenant")
        }
        configuration.defaultTenant = readDefault(defaultTenant, names, first.line)
        return names
    }

    /// Reads the section `tenants`.
    ///
    /// - Returns: The names of its tenants, or nil after a fault of the section itself.
    private mutating func readSection(
        _ item: Item,
        isAlone: Bool,
        _ configuration: inout DaemonConfiguration
    ) -> [String]? {
        guard var section = Section(item.node, path: item.path, line: item.line), !isAlone || !section.keys.isEmpty
        else {
            note(item, "should be a mapping of one or more tenants by name")
            return nil
        }
        noteRepeated(section)
        let names = section.keys.map(\.key)
        for name in names {
            guard let tenant = section.take(name) else { continue }
            if let rule = Self.rule(forName: name) { note(tenant.line, "tenants.\(name.forMessage)", rule) }
            configuration.tenants[name] = readTenant(tenant)
        }
        return names
    }

    private mutating func readDefault(_ item: Item?, _ names: Set<String>, _ line: Int?) -> String? {
        guard let item else {
            if names.count > 1 {
                note(line, "default_tenant", "is missing: with several tenants it should name one of them")
            }
            return names.count == 1 ? names.first : nil
        }
        guard let name = item.text, names.contains(name) else {
            note(item, "should be one of the tenants: \(Self.list(names))\(names.sorted().suggestion(for: item.text))")
            return nil
        }
        return name
    }

    /// Lists names for a fault, of which there may be a thousand.
    private static func list(_ names: Set<String>) -> String {
        let shown = names.sorted().prefix(maxListed).map(\.forMessage).joined(separator: ", ")
        return names.count > maxListed ? "\(shown) and \(names.count - maxListed) more" : shown
    }

    /// Returns the rule that a tenant's name breaks, or nil if it is valid.
    static func rule(forName name: String) -> String? {
        let isValid = (1...maxNameCharacters).contains(name.utf8.count) && name.utf8.allSatisfy(isNameCharacter)
        return isValid
            ? nil : "should be named by 1 to \(maxNameCharacters) letters, digits, dots, hyphens or underscores"
    }

    static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Reads one tenant, or returns nil if it is no mapping.
    mutating func readTenant(_ item: Item) -> DaemonConfiguration.Tenant? {
        guard Section(item.node, path: item.path, line: item.line) != nil else {
            note(item, "should be a mapping of \(TenantSettings.names)")
            return nil
        }
        var tenant = TenantSettings.defaults
        section(item, TenantSettings.all, &tenant) { reader, section, tenant in
            let (credential, line) = reader.credential(&section)
            if let credential { tenant.credential = credential }
            tenant.lines.credential = line
            reader.readProvision(section.take("provision"), &tenant)
        }
        return tenant
    }

    mutating func scopes(_ item: Item) -> String? {
        let rule = "should be one or more OAuth scopes with spaces between them"
        guard let scope = text(item, rule) else { return nil }
        guard scope.isScopeList else {
            note(item, rule)
            return nil
        }
        return scope
    }

    /// Reads one or more scopes as a set.
    mutating func scopeSet(_ item: Item) -> ScopeSet? { scopes(item).flatMap { ScopeSet($0) } }

    mutating func host(_ item: Item) -> String? {
        guard let origin = item.text.flatMap(Origin.init) else {
            note(
                item,
                "should be https://host or https://host:port, without a path; http only for a loopback address"
            )
            return nil
        }
        return origin.text
    }

    /// Reads the source of a secret.
    ///
    /// No fault shows any of this value, as it may be the secret itself by mistake.
    mutating func secret(_ item: Item?) -> DaemonConfiguration.SecretSource? {
        guard let item else { return nil }
        let rule = "should be { credential: NAME } or { file: PATH }; a secret is never a value in this file"
        guard var section = Section(item.node, path: item.path, line: item.line) else {
            note(item, rule)
            return nil
        }
        let (credential, file) = (section.take("credential"), section.take("file"))
        guard section.keys.isEmpty, (credential == nil) != (file == nil) else {
            note(item, rule)
            return nil
        }
        if let credential {
            guard let name = credential.text, !name.isEmpty, name.utf8.allSatisfy(Self.isNameCharacter), name != ".",
                name != ".."
            else {
                note(credential, "should be the name of a credential of systemd's")
                return nil
            }
            return .credential(name)
        }
        return path(file).map { .file($0) }
    }

    mutating func path(_ item: Item?) -> String? {
        guard let item else { return nil }
        guard let path = item.text, path.hasPrefix("/") else {
            note(item, "should be an absolute path")
            return nil
        }
        return path
    }
}

extension String {
    /// True if the text is one or more scopes of RFC 6749, section 3.3, with spaces between.
    var isScopeList: Bool {
        let isAllowed = utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
        return isAllowed && utf8.contains { $0 != 0x20 }
    }
}
