package import TokenProtocol

/// A rule of the configuration: the peers that it is for, and what they may ask for.
package struct AccessRule: Sendable, Equatable {
    /// The operations that a rule permits if it names none.
    ///
    /// `provision` has to be named, and `hello` is open to all.
    package static let usualOperations: Set<OperationName> = [.token, .prefetch, .invalidate, .revoke]

    /// The peers that the rule is for.
    package var peers: PeerSet
    /// The rule's location in the configuration, for operators, such as `access[0] (line 12)`.
    package var location: String
    /// Tenants by name, or nil for all.
    package var tenants: Set<String>?
    /// The scopes that a request may name, or nil for the tenant's own.
    package var scopes: Set<String>?
    /// Patterns of users' subjects.
    package var subjects: [Glob]
    /// Patterns of the tenant's own ids of users.
    package var userIDs: [Glob]
    /// Further clients of the tenants by name, whose own tokens the peers may have.
    package var clients: Set<String>
    /// The operations that the peers may use.
    package var operations: Set<OperationName>

    /// The rule of a configuration without rules: every peer that can open the request socket may ask for each tenant's
    /// own scopes.
    package static let withoutRules = AccessRule(
        peers: .everyone,
        subjects: [.everything],
        userIDs: [.everything]
    )

    /// Creates a rule.
    ///
    /// Arguments that are left out have the defaults of the configuration.
    package init(
        peers: PeerSet,
        location: String = "access",
        tenants: Set<String>? = nil,
        scopes: Set<String>? = nil,
        subjects: [Glob] = [],
        userIDs: [Glob] = [],
        clients: Set<String> = [],
        operations: Set<OperationName> = Self.usualOperations
    ) {
        self.peers = peers
        self.location = location
        self.tenants = tenants
        self.scopes = scopes
        self.subjects = subjects
        self.userIDs = userIDs
        self.clients = clients
        self.operations = operations
    }
}
