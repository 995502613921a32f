/// The key `tenants_directory`.
extension ConfigurationReader {
    /// Reads the tenants of a directory.
    ///
    /// - Returns: The names of all of its tenants, also of those with faults, or nil after a fault of the directory.
    mutating func readDirectory(_ item: Item, _ configuration: inout DaemonConfiguration) -> [String]? {
        guard let path = path(item) else { return nil }
        switch directory(path) {
        case .failure(let fault):
            note(item, "names \(path.forMessage): \(fault.message)")
            return nil
        case .success(let directory):
            let present = Set(configuration.tenants.keys)
            for file in directory.files {
                var reader = ConfigurationReader(file: file.path)
                let tenant = reader.readTenant(file, isRepeated: present.contains(file.name))
                if let tenant { configuration.tenants[file.name] = tenant }
                take(reader)
            }
            return directory.files.map(\.name)
        }
    }

    /// Reads the file of one tenant, or returns nil if there is nothing to read.
    private mutating func readTenant(_ file: TenantsDirectory.File, isRepeated: Bool) -> DaemonConfiguration.Tenant? {
        if let rule = Self.rule(forName: file.name) { note(nil, "", "the file's name without .yaml \(rule)") }
        if isRepeated { note(nil, "", "the main file has a tenant of this name, too: keep one of them") }
        do throws(ConfigurationFaults) {
            let root = try DaemonConfiguration.compose(file.content, file: file.path)
            guard let root else {
                note(1, "", "should be a mapping of \(TenantSettings.names)")
                return nil
            }
            var tenant = readTenant(Item(path: "", line: 1, node: root))
            tenant?.file = file.path
            return isRepeated ? nil : tenant
        } catch {
            for fault in error.faults { note(fault.line, fault.key, fault.message) }
            return nil
        }
    }
}
