import TokenCache
import TokenProtocol

/// The key `provision` of a tenant.
extension ConfigurationReader {
    /// Reads `provision`, after the clients that it names.
    mutating func readProvision(_ item: Item?, _ tenant: inout DaemonConfiguration.Tenant) {
        guard let item else { return }
        let clients = tenant.policy.clients.keys.sorted()
        var policy = ProvisioningPolicy(client: "")
        section(item, ProvisionSettings.all, &policy) { reader, section, policy in
            if let client = section.take("client") {
                policy.client = reader.clientName(client, clients) ?? ""
            } else {
                reader.noteMissing("client", of: section)
            }
            let groups = reader.texts(section.take("groups"), "patterns for names of groups")
            policy.groups = (groups ?? []).map { Glob($0) }
            policy.revokeClient = section.take("revoke_client").flatMap { reader.clientName($0, clients) }
        }
        tenant.policy.provisioning = policy
    }

    /// Reads the name of one of a tenant's further clients.
    private mutating func clientName(_ item: Item, _ clients: [String]) -> String? {
        // Compared by bytes, as Swift's strings are equal even if one has the Kelvin sign in place of a K.
        if let name = clients.first(where: { item.text?.utf8.elementsEqual($0.utf8) == true }) { return name }
        let known = clients.isEmpty ? ", which has none" : ": \(clients.joined(separator: ", "))"
        note(item, "should be one of the tenant's clients\(known)\(clients.suggestion(for: item.text))")
        return nil
    }
}
