package import TokenCache
package import TokenProtocol

/// A set of peers: by user, by group, by unit, or all of them.
package struct PeerSet: Sendable, Equatable {
    /// True if every peer is in the set.
    package var isEveryone: Bool
    /// Users by number.
    package var users: Set<UInt32>
    /// Groups by number.
    ///
    /// A process's own group and its supplementary ones count alike.
    package var groups: Set<UInt32>
    /// Patterns of systemd units.
    package var units: [Glob]
    /// Users and groups by name.
    package let names: AccountNames
    /// The names that can't be resolved.
    ///
    /// Nobody is in the set by them.
    package private(set) var unresolved: AccountNames
    private var namedUsers: Set<UInt32> = []
    private var namedGroups: Set<UInt32> = []

    /// The set of all peers.
    package static let everyone = PeerSet(isEveryone: true)

    /// Creates a set whose names are not resolved yet.
    package init(
        isEveryone: Bool = false,
        users: Set<UInt32> = [],
        groups: Set<UInt32> = [],
        units: [Glob] = [],
        names: AccountNames = AccountNames()
    ) {
        self.isEveryone = isEveryone
        self.users = users
        self.groups = groups
        self.units = units
        self.names = names
        unresolved = names
    }

    /// Resolves the names by what the name service has answered.
    mutating func resolve(_ accounts: KnownAccounts) {
        namedUsers = Set(names.users.compactMap { accounts.users[$0] })
        namedGroups = Set(names.groups.compactMap { accounts.groups[$0] })
        unresolved = accounts.unresolved(names)
    }

    /// True if a peer is in the set by its user, by one of its groups or by its unit.
    package func contains(_ peer: Peer) -> Bool {
        if isEveryone || users.contains(peer.uid) || namedUsers.contains(peer.uid) { return true }
        let isMember = ([peer.gid] + peer.groups).contains { groups.contains($0) || namedGroups.contains($0) }
        if isMember { return true }
        return peer.unit.map { unit in units.contains { $0.matches(unit) } } ?? false
    }
}
