package import TokenCache

/// The access rules and administrators of the configuration, with their names resolved.
package struct AccessPolicy: Sendable {
    /// The tenants and their own scopes.
    package var directory: TenantDirectory
    /// The rules in order.
    ///
    /// The first one that a peer matches decides alone.
    package var rules: [AccessRule]
    /// The peers that may use the admin socket.
    package var administrators: PeerSet
    /// The names of users and groups that the name service has answered so far.
    package private(set) var accounts = KnownAccounts()

    /// Creates a policy.
    ///
    /// Without rules, every peer may ask for each tenant's own scopes.
    package init(
        directory: TenantDirectory,
        rules: [AccessRule] = [.withoutRules],
        administrators: PeerSet
    ) {
        self.directory = directory
        self.rules = rules
        self.administrators = administrators
    }

    /// The names that the rules and the list of administrators use.
    package var names: AccountNames {
        rules.reduce(into: administrators.names) { $0.formUnion($1.peers.names) }
    }

    /// The names that are not known now.
    package var unresolvedNames: AccountNames { accounts.unresolved(names) }

    /// Resolves the names by what the name service has answered.
    package mutating func resolve(_ accounts: KnownAccounts) {
        self.accounts = accounts
        administrators.resolve(accounts)
        for index in rules.indices { rules[index].peers.resolve(accounts) }
    }

    /// The result of the search for a peer's rule.
    package enum Decision: Equatable {
        /// The rule of this index decides.
        case rule(Int)
        /// The peer matches no rule.
        case noRule
        /// The search ended at the rule of this index, which the peer may or may not match.
        ///
        /// A name that can't be resolved, or a unit that can't be determined, never gives anyone more. So neither this
        /// rule nor a later one decides.
        case undecided(Int, Cause)
    }

    /// The reason why it isn't known whether a peer matches a rule.
    package enum Cause: Equatable {
        /// One of the rule's names can't be resolved, and the peer's number has no known name.
        case name
        /// The rule goes by units, and the peer's can't be determined.
        case unit
    }

    /// Finds the first rule that a peer matches.
    package func decide(_ peer: Peer) -> Decision {
        for (index, rule) in rules.enumerated() {
            if rule.peers.contains(peer) { return .rule(index) }
            if mayMatch(peer, rule.peers.unresolved) { return .undecided(index, .name) }
            if peer.hidesUnit, !rule.peers.units.isEmpty { return .undecided(index, .unit) }
        }
        return .noRule
    }

    /// True if a peer could have one of the unresolved names, because its number has no other known name.
    private func mayMatch(_ peer: Peer, _ names: AccountNames) -> Bool {
        if !names.users.isEmpty, accounts.userNames[peer.uid].map(names.users.contains) ?? true { return true }
        guard !names.groups.isEmpty else { return false }
        return ([peer.gid] + peer.groups).contains { accounts.groupNames[$0].map(names.groups.contains) ?? true }
    }
}
