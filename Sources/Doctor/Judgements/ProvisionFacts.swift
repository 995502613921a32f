import DaemonConfiguration
import TokenCache
import TokenProtocol

/// A tenant's section `provision`, and what it depends on.
package struct ProvisionFacts: Sendable, Equatable {
    /// One of the tenant's clients.
    package struct Client: Sendable, Equatable {
        package var name: String
        /// The scopes that the daemon asks for, or nil for all that the client has.
        package var scopes: [String]?

        /// Creates the description of a client.
        package init(name: String, scopes: [String]?) {
            self.name = name
            self.scopes = scopes
        }

        func lacks(_ needed: [String]) -> Bool { scopes.map { Set($0).isDisjoint(with: needed) } ?? false }
    }

    package var tenant: String
    /// The client that finds, creates and changes users.
    package var client: Client
    /// The client that revokes all of a user's tokens, or nil if nobody may ask for it.
    package var revokeClient: Client?
    /// True if an access rule allows the operation `provision` for the tenant.
    package var isAllowed: Bool
    /// The names of those of these clients whose own tokens an access rule allows.
    package var exposed: [String]

    /// Creates facts.
    package init(tenant: String, client: Client, revokeClient: Client?, isAllowed: Bool, exposed: [String] = []) {
        self.tenant = tenant
        self.client = client
        self.revokeClient = revokeClient
        self.isAllowed = isAllowed
        self.exposed = exposed
    }
}

extension ProvisionFacts {
    /// Creates the facts about a tenant, or nil if its section has no `provision`.
    init?(_ configuration: DaemonConfiguration, _ name: String) {
        guard let tenant = configuration.tenants[name], let policy = tenant.policy.provisioning else { return nil }
        func client(_ name: String) -> Client {
            Client(name: name, scopes: tenant.policy.clients[name]?.scopes?.scopes.map(String.init))
        }
        let rules = (configuration.access ?? []).filter { $0.tenants?.contains(name) ?? true }
        let allowed = Set(rules.flatMap { $0.clients ?? [] })
        let names = Set([policy.client, policy.revokeClient].compactMap(\.self))
        self.init(
            tenant: name,
            client: client(policy.client),
            revokeClient: policy.revokeClient.map(client),
            isAllowed: rules.contains { $0.operations?.contains("provision") ?? false },
            exposed: names.intersection(allowed).sorted()
        )
    }

    /// The scopes of which a client needs one to find and create users.
    private static let userScopes = ["admin.users", "admin_classic"]
    /// The scopes of which a client needs one to revoke tokens that were minted elsewhere.
    private static let revocationScopes = ["admin_classic"]

    /// The findings, of which there is at least one.
    package var findings: [Finding] {
        let warnings = [
            scope(of: client, Self.userScopes, "find and create users"),
            revokeClient.flatMap { scope(of: $0, Self.revocationScopes, "revoke tokens that were minted elsewhere") },
            unused,
        ].compactMap(\.self)
        let all = warnings + exposed.map(exposure)
        return all.isEmpty ? [.ok(.provision, tenant, summary)] : all
    }

    private var summary: String {
        let revocation = revokeClient.map { "; the client \($0.name) revokes all tokens of a user" } ?? ""
        return "the client \(client.name) finds and creates users\(revocation)"
    }

    private func scope(of client: Client, _ needed: [String], _ purpose: String) -> Finding? {
        guard client.lacks(needed) else { return nil }
        let names = needed.joined(separator: " or ")
        return .warning(
            .provision,
            tenant,
            "the client \(client.name) asks for \((client.scopes ?? []).joined(separator: " ")), and needs \(names) to \(purpose)",
            "add it to the scopes of the OAuth client in the tenant, and to clients.\(client.name).scope"
        )
    }

    /// The finding that nobody may use the section.
    private var unused: Finding? {
        guard !isAllowed, revokeClient == nil else { return nil }
        return .warning(
            .provision,
            tenant,
            "no access rule allows the operation provision, so nobody is ever created",
            "name provision among the operations of an access rule, or remove the section"
        )
    }

    private func exposure(_ client: String) -> Finding {
        .warning(
            .provision,
            tenant,
            "an access rule lets applications have the own token of the client \(client), which administers users",
            "remove \(client) from clients of the access rule: provision and revoke need no such right"
        )
    }
}
