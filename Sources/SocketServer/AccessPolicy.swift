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
}

/// Some peers.
package struct PeerSet: Sendable, Equatable {
    /// Whether every peer is in it.
    package var isEveryone: Bool
    /// Users.
    package var users: Set<UInt32>
    /// Groups, a process's own and its supplementary ones alike.
    package var groups: Set<UInt32>
    /// Units of systemd's, by patterns.
    package var units: [Glob]

    /// Everyone.
    package static let everyone = PeerSet(isEveryone: true)

    /// Lists them.
    package init(
        isEveryone: Bool = false,
        users: Set<UInt32> = [],
        groups: Set<UInt32> = [],
        units: [Glob] = []
    ) {
        self.isEveryone = isEveryone
        self.users = users
        self.groups = groups
        self.units = units
    }

    /// Whether a peer is among them: by user, by any of its groups or by its unit.
    package func contains(_ peer: Peer) -> Bool {
        if isEveryone || users.contains(peer.uid) || groups.contains(peer.gid) { return true }
        if peer.groups.contains(where: groups.contains) { return true }
        return peer.unit.map { unit in units.contains { $0.fits(unit) } } ?? false
    }
}

/// What some peers may ask for.
package struct AccessRule: Sendable, Equatable {
    /// The operations that a rule can give; `hello` is open to all.
    package static let grantable: Set<OperationName> = [.token, .prefetch, .invalidate, .revoke]

    /// Whom it is for.
    package var peers: PeerSet
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
        tenants: Set<String>? = nil,
        scopes: Set<String>? = nil,
        subjects: [Glob] = [],
        userIDs: [Glob] = [],
        operations: Set<OperationName> = Self.grantable
    ) {
        self.peers = peers
        self.tenants = tenants
        self.scopes = scopes
        self.subjects = subjects
        self.userIDs = userIDs
        self.operations = operations
    }
}
