package import TokenProtocol

/// The rules of the provisioning of one tenant's users.
package struct ProvisioningPolicy: Sendable, Equatable {
    /// The name of the client that finds, creates and changes users.
    package var client: String
    /// The patterns of the groups that an app may assign and remove.
    package var groups: [Glob]
    /// The name of the client that revokes all of a user's tokens, or nil if nobody may ask for it.
    package var revokeClient: String?

    /// Creates rules.
    package init(client: String, groups: [Glob] = [], revokeClient: String? = nil) {
        self.client = client
        self.groups = groups
        self.revokeClient = revokeClient
    }

    /// True if an app may assign a group.
    package func covers(_ group: String) -> Bool { groups.contains { $0.matches(group) } }

    /// The first group that an app may not assign, or nil if it may assign all of them.
    package func firstUncovered(of groups: [String]?) -> String? { groups?.first { !covers($0) } }
}
