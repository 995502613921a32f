package import TokenCache
package import TokenProtocol

/// Who may ask for what, and who administers: what the configuration's `access` and `admin` say, names resolved.
package struct AccessPolicy: Sendable {
    /// The tenants and their own scopes.
    package var directory: TenantDirectory
    /// The rules in order; the first whose peers a peer is among decides alone.
    package var rules: [AccessRule]
    /// Who may use the admin socket.
    package var administrators: PeerSet
    /// Users' and groups' names, as far as the name service has told them.
    package private(set) var accounts = KnownAccounts()

    /// Makes a policy; without rules any peer may ask for each tenant's own scopes.
    package init(
        directory: TenantDirectory,
        rules: [AccessRule] = [.withoutRules],
        administrators: PeerSet
    ) {
        self.directory = directory
        self.rules = rules
        self.administrators = administrators
    }

    /// The names that it goes by.
    package var names: AccountNames {
        rules.reduce(into: administrators.names) { $0.formUnion($1.peers.names) }
    }

    /// Those of them that are not known now.
    package var unresolvedNames: AccountNames { accounts.unresolved(names) }

    /// Takes over what the name service says.
    package mutating func resolve(_ accounts: KnownAccounts) {
        self.accounts = accounts
        administrators.resolve(accounts)
        for index in rules.indices { rules[index].peers.resolve(accounts) }
    }

    /// The result of the search for a peer's rule.
    package enum Decision: Equatable {
        /// The rule of this index decides.
        case rule(Int)
        /// Nothing: no rule fits.
        case noRule
        /// Nothing, as the rule of this index may be meant for this peer, and what comes after it not.
        ///
        /// A name that can't be resolved, or a unit that can't be seen, never gives anyone more.
        case undecided(Int, Doubt)
    }

    /// The reason for which it isn't known whether a peer is meant.
    package enum Doubt: Equatable {
        /// One of the rule's names can't be resolved, and the peer's number has no known name.
        case name
        /// The rule goes by units, and the peer's can't be seen.
        case unit
    }

    /// Finds the first rule that fits a peer.
    package func decide(_ peer: Peer) -> Decision {
        for (index, rule) in rules.enumerated() {
            if rule.peers.contains(peer) { return .rule(index) }
            if mayMean(peer, rule.peers.unresolved) { return .undecided(index, .name) }
            if peer.hidesUnit, !rule.peers.units.isEmpty { return .undecided(index, .unit) }
        }
        return .noRule
    }

    /// Whether a peer could be meant by names that can't be resolved: its number has no other name that is known.
    private func mayMean(_ peer: Peer, _ names: AccountNames) -> Bool {
        if !names.users.isEmpty, accounts.userNames[peer.uid].map(names.users.contains) ?? true { return true }
        guard !names.groups.isEmpty else { return false }
        return ([peer.gid] + peer.groups).contains { accounts.groupNames[$0].map(names.groups.contains) ?? true }
    }
}

/// Some peers.
package struct PeerSet: Sendable, Equatable {
    /// Whether every peer is in it.
    package var isEveryone: Bool
    /// Users by number.
    package var users: Set<UInt32>
    /// Groups by number, a process's own and its supplementary ones alike.
    package var groups: Set<UInt32>
    /// Units of systemd's, by patterns.
    package var units: [Glob]
    /// Users and groups by name.
    package let names: AccountNames
    /// Those of the names that can't be resolved: nobody is in the set by them.
    package private(set) var unresolved: AccountNames
    private var namedUsers: Set<UInt32> = []
    private var namedGroups: Set<UInt32> = []

    /// Everyone.
    package static let everyone = PeerSet(isEveryone: true)

    /// Lists them.
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

    /// Takes over what the name service says.
    fileprivate mutating func resolve(_ accounts: KnownAccounts) {
        namedUsers = Set(names.users.compactMap { accounts.users[$0] })
        namedGroups = Set(names.groups.compactMap { accounts.groups[$0] })
        unresolved = accounts.unresolved(names)
    }

    /// Whether a peer is among them: by user, by any of its groups or by its unit.
    package func contains(_ peer: Peer) -> Bool {
        if isEveryone || users.contains(peer.uid) || namedUsers.contains(peer.uid) { return true }
        let isMember = ([peer.gid] + peer.groups).contains { groups.contains($0) || namedGroups.contains($0) }
        if isMember { return true }
        return peer.unit.map { unit in units.contains { $0.fits(unit) } } ?? false
    }
}

/// What some peers may ask for.
package struct AccessRule: Sendable, Equatable {
    /// The operations that a rule can give; `hello` is open to all.
    package static let grantable: Set<OperationName> = [.token, .prefetch, .invalidate, .revoke]

    /// Whom it is for.
    package var peers: PeerSet
    /// Its place in the configuration, for operators, such as `access[0] (line 12)`.
    package var place: String
    /// Tenants by name; nil: all.
    package var tenants: Set<String>?
    /// Every scope that a request may name; nil: the tenant's own.
    package var scopes: Set<String>?
    /// Users by subject.
    package var subjects: [Glob]
    /// Users by the tenant's own id.
    package var userIDs: [Glob]
    /// Operations.
    package var operations: Set<OperationName>

    /// What holds where the configuration has no rules: whoever can open the request socket may ask for each tenant's own
    /// scopes.
    package static let withoutRules = AccessRule(
        peers: .everyone,
        subjects: [.everything],
        userIDs: [.everything]
    )

    /// Makes a rule; what is left out is as in the configuration.
    package init(
        peers: PeerSet,
        place: String = "access",
        tenants: Set<String>? = nil,
        scopes: Set<String>? = nil,
        subjects: [Glob] = [],
        userIDs: [Glob] = [],
        operations: Set<OperationName> = Self.grantable
    ) {
        self.peers = peers
        self.place = place
        self.tenants = tenants
        self.scopes = scopes
        self.subjects = subjects
        self.userIDs = userIDs
        self.operations = operations
    }
}
