import TokenCache

/// The further clients of a tenant, and the credentials of all clients.
extension ConfigurationReader {
    /// Reads a tenant's `clients`.
    mutating func readClients(_ item: Item, _ tenant: inout DaemonConfiguration.Tenant) {
        guard var section = Section(item.node, path: item.path, line: item.line) else {
            return note(item, "should be a mapping of further clients by name")
        }
        noteRepeated(section)
        for name in section.keys.map(\.key) {
            guard let item = section.take(name) else { continue }
            if let rule = Self.rule(forName: name) { note(item.line, section.dotted(name.forMessage), rule) }
            var client = ClientSettings.defaults
            self.section(item, ClientSettings.all, &client) { reader, section, client in
                let (credential, line) = reader.credential(&section)
                if let credential { client.credential = credential }
                client.credentialLine = line
            }
            tenant.clients[name] = client
            tenant.policy.clients[name] = client.policy
        }
    }

    /// Reads a client's secret or key.
    mutating func credential(_ section: inout Section) -> (DaemonConfiguration.Credential?, line: Int?) {
        let (keyItem, idItem, algorithmItem) =
            (section.take("client_key"), section.take("key_id"), section.take("key_algorithm"))
        let id = text(idItem, "should be the key's id at the tenant")
        let algorithm = algorithmItem.flatMap { choice($0, of: DaemonConfiguration.KeyAlgorithm.self) }
        guard let keyItem else {
            for item in [idItem, algorithmItem].compactMap(\.self) { note(item, "is for client_key only") }
            let item = section.take("client_secret")
            if item == nil { noteMissing("client_secret", of: section) }
            return (secret(item).map { .secret($0) }, item?.line)
        }
        if let item = section.take("client_secret") { note(item, "should be left out where there is a client_key") }
        return (secret(keyItem).map { .key($0, id: id, algorithm: algorithm) }, keyItem.line)
    }
}
