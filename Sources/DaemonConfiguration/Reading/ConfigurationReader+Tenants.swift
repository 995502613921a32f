import TokenCache
import TokenProtocol

/// The section `tenants` and the key `default_tenant`.
extension ConfigurationReader {
    private static var maxNameCharacters: Int { 64 }

    /// Reads `tenants` and `default_tenant`.
    mutating func readTenants(_ file: inout Section, _ configuration: inout DaemonConfiguration) {
        let defaultTenant = file.take("default_tenant")
        guard let item = file.take("tenants") else { return note(1, "tenants", "is missing: name at least one tenant") }
        guard var section = Section(item.node, path: item.path, line: item.line), !section.keys.isEmpty else {
            return note(item, "should be a mapping of one or more tenants by name")
        }
        noteRepeated(section)
        let names = section.keys.map(\.key)
        for name in names {
            guard let tenant = section.take(name) else { continue }
            checkName(name, tenant, in: "tenants")
            configuration.tenants[name] = readTenant(tenant)
        }
        configuration.defaultTenant = readDefault(defaultTenant, names: names, item)
    }

    private mutating func readDefault(_ item: Item?, names: [String], _ tenants: Item) -> String? {
        guard let item else {
            if names.count > 1 {
                note(tenants.line, "default_tenant", "is missing: with several tenants it should name one of them")
            }
            return names.count == 1 ? names[0] : nil
        }
        guard let name = item.text, names.contains(name) else {
            note(item, "should be one of the tenants: \(names.map(\.forMessage).joined(separator: ", "))")
            return nil
        }
        return name
    }

    /// Checks the name of a tenant or of a client.
    mutating func checkName(_ name: String, _ item: Item, in section: String) {
        let isValid =
            (1...Self.maxNameCharacters).contains(name.utf8.count) && name.utf8.allSatisfy(Self.isNameCharacter)
        guard !isValid else { return }
        note(
            item.line,
            "\(section).\(name.forMessage)",
            "should be named by 1 to \(Self.maxNameCharacters) letters, digits, dots, hyphens or underscores"
        )
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private mutating func readTenant(_ item: Item) -> DaemonConfiguration.Tenant? {
        guard Section(item.node, path: item.path, line: item.line) != nil else {
            note(item, "should be a mapping of \(TenantSettings.all.map(\.key).joined(separator: ", "))")
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
