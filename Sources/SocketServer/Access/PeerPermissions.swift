package import TokenCache
package import TokenProtocol

/// The permissions of the peers that match one rule: checks requests against it, and finds the keys that they name.
///
/// The first request that names a tenant and scopes decides if they are permitted. The result is remembered, so that a
/// hit only compares bytes with the short list of its tenant, of which there may be a thousand. It lives on the
/// server's event loop.
package final class PeerPermissions {
    /// A tenant with scopes that may be asked for.
    ///
    /// Its texts are kept as bytes, too.
    package final class Target {
        /// The tenant.
        package let tenant: TenantID
        /// The scopes.
        package let scopes: ScopeSet
        fileprivate let isDefaultTenant: Bool
        fileprivate let isOwnScopes: Bool
        fileprivate let nameBytes: [UInt8]
        fileprivate let scopeBytes: [UInt8]
        /// The name of the client whose own tokens are meant, or empty for users' tokens.
        fileprivate let clientBytes: [UInt8]

        /// - Parameters:
        ///   - own: The scopes of a request that names none.
        ///   - client: The client whose own tokens are meant, or nil for users' tokens.
        fileprivate init(
            _ tenant: TenantID,
            _ scopes: ScopeSet,
            own: ScopeSet,
            client: UserLookup?,
            in directory: TenantDirectory
        ) {
            self.tenant = tenant
            self.scopes = scopes
            isDefaultTenant = tenant.name == directory.defaultTenant
            isOwnScopes = scopes == own
            nameBytes = Array(tenant.name.utf8)
            scopeBytes = Array(scopes.text.utf8)
            clientBytes = client?.value ?? []
        }
    }

    /// The most targets of one tenant that are remembered.
    ///
    /// An app uses a handful of scope sets. Above this a request checks the rule.
    private static let maxTargets = 64

    private let rule: AccessRule?
    private let directory: TenantDirectory
    private let allowsAnySubject: Bool
    private let allowsAnyUserID: Bool
    /// The targets by the hashes of their tenants' names.
    private var targets: [UInt64: [Target]] = [:]
    /// The targets of the default tenant, as most requests name none.
    private var defaultTargets: [Target] = []

    /// Creates the permissions of a rule.
    ///
    /// Without a rule everything is forbidden.
    package init(_ rule: AccessRule?, _ directory: TenantDirectory) {
        self.rule = rule
        self.directory = directory
        allowsAnySubject = rule?.subjects.contains(where: \.matchesEverything) ?? false
        allowsAnyUserID = rule?.userIDs.contains(where: \.matchesEverything) ?? false
        guard let rule, rule.operations.contains(.token) else { return }
        for tenant in permitted {
            if let scopes = directory.scopes(of: tenant), allows(scopes, own: scopes, rule) {
                remember(tenant, scopes, own: scopes, client: nil)
            }
        }
    }

    // MARK: Lists

    /// The operations.
    package var operations: Set<OperationName> { rule?.operations ?? [] }

    /// Returns true if the peers can use an operation with one of their tenants at least.
    package func offers(_ operation: OperationName) -> Bool {
        guard operations.contains(operation) else { return false }
        return operation != .provision || permitted.contains { directory.provisioning(of: $0) != nil }
    }

    /// The tenants' names, sorted.
    package var tenants: [String] { permitted.map(\.name) }

    /// The names of the clients whose own tokens the peers may have, sorted.
    package var clients: [String] {
        guard let rule else { return [] }
        return rule.clients.intersection(permitted.flatMap { Array(directory.clients(of: $0)) }).sorted()
    }

    private var permitted: [TenantID] {
        guard let rule else { return [] }
        return directory.ids.filter { rule.tenants?.contains($0.name) ?? true }
    }

    // MARK: Hits

    /// Finds the target of a request for a token by the request's bytes.
    ///
    /// Returns nil if the target isn't remembered, or the user is forbidden.
    ///
    /// - Parameters:
    ///   - tenant: The name in the request, empty if there is none.
    ///   - scope: The scopes in the request, empty if there are none.
    package func find(
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ tenant: borrowing Span<UInt8>,
        _ scope: borrowing Span<UInt8>
    ) -> Target? {
        for target in tenant.isEmpty ? defaultTargets : targets[Self.hash(tenant)] ?? []
        where (tenant.isEmpty || target.nameBytes.hasSameBytes(as: tenant))
            && (scope.isEmpty ? target.isOwnScopes : target.scopeBytes.hasSameBytes(as: scope))
        {
            // Only permitted clients are remembered.
            if field == .client {
                if target.clientBytes.hasSameBytes(as: user) { return target }
            } else if target.clientBytes.isEmpty {
                return allows(field, user) ? target : nil
            }
        }
        return nil
    }

    // MARK: Requests

    /// The key of a request for one token.
    package func key(for request: KeyRequest, _ operation: OperationName) throws(ErrorReply) -> TokenKey {
        let tenant = try tenant(request.tenant, operation)
        return try key(request.user, request.scopes, of: tenant)
    }

    /// Checks that the peers may use one more operation, which a member of a request needs.
    package func require(_ operation: OperationName, for member: String) throws(ErrorReply) {
        guard operations.contains(operation) else {
            throw ErrorReply(
                .forbidden,
                "'\(member)' needs the operation '\(operation.rawValue)', which this peer may not use"
            )
        }
    }

    /// The keys of a prefetch.
    ///
    /// One forbidden user makes all of it forbidden.
    package func keys(for request: PrefetchRequest) throws(ErrorReply) -> [TokenKey] {
        guard let first = request.users.first else { return [] }
        let tenant = try tenant(request.tenant, .prefetch)
        guard first.field == .client else {
            let scopes = try scopes(request.scopes, of: first, tenant)
            guard firstForbidden(of: request.users) == nil else { throw .forbiddenUser }
            return request.users.map { TokenKey(tenant: tenant, user: $0, scopes: scopes) }
        }
        var keys: [TokenKey] = []
        for client in request.users { keys.append(try key(client, request.scopes, of: tenant)) }
        return keys
    }

    /// The user of a logout, and its scopes, which are nil for all.
    ///
    /// - Parameter everywhere: True if it is for all of the user's tokens at the tenant.
    package func logout(
        _ request: KeyRequest,
        everywhere: Bool = false
    ) throws(ErrorReply) -> (user: UserKey, scopes: ScopeSet?) {
        let tenant = try tenant(request.tenant, .revoke)
        guard allows(request.user) else { throw .forbidden(request.user) }
        if everywhere, directory.provisioning(of: tenant)?.revokeClient == nil { throw .noRevokeClient }
        let user = UserKey(tenant: tenant, user: request.user)
        _ = try directory.ownScopes(of: request.user, tenant)
        guard let asked = request.scopes else { return (user, nil) }
        return (user, try scopes(asked, of: request.user, tenant))
    }

    /// The user of a request that finds or creates one.
    package func user(for request: ProvisionRequest) throws(ErrorReply) -> UserKey {
        let tenant = try tenant(request.tenant, .provision)
        guard let provisioning = directory.provisioning(of: tenant) else { throw .noProvisioning }
        guard allows(request.user) else { throw .forbidden(request.user) }
        guard provisioning.firstUncovered(of: request.groups) == nil else { throw .forbiddenGroup }
        return UserKey(tenant: tenant, user: request.user)
    }

    /// The first group of a request that the peers may not assign, or nil if there is none or the tenant has no groups.
    package func firstForbiddenGroup(of request: ProvisionRequest) -> String? {
        guard let tenant = try? directory.tenant(request.tenant) else { return nil }
        return directory.provisioning(of: tenant)?.firstUncovered(of: request.groups)
    }

    /// The first of the given users whose tokens the peers may not request.
    package func firstForbidden(of users: [UserLookup]) -> UserLookup? { users.first { !allows($0) } }

    private func key(
        _ user: UserLookup,
        _ asked: ScopeSet?,
        of tenant: TenantID
    ) throws(ErrorReply) -> TokenKey {
        // A client that the peers may not have is none of their business, and neither are its scopes.
        guard user.field != .client || allows(user) else { throw .forbidden(user) }
        let scopes = try scopes(asked, of: user, tenant)
        guard allows(user) else { throw .forbidden(user) }
        return TokenKey(tenant: tenant, user: user, scopes: scopes)
    }

    private func tenant(_ name: String?, _ operation: OperationName) throws(ErrorReply) -> TenantID {
        guard let rule, rule.operations.contains(operation) else {
            throw ErrorReply(.forbidden, "this peer may not use this operation")
        }
        let tenant = try directory.tenant(name)
        guard rule.tenants?.contains(tenant.name) ?? true else {
            throw ErrorReply(.forbidden, "this peer may not ask for tokens of that tenant")
        }
        return tenant
    }

    /// Returns the scopes of a request by a user or client that the rule allows, and remembers them.
    private func scopes(
        _ asked: ScopeSet?,
        of user: UserLookup,
        _ tenant: TenantID
    ) throws(ErrorReply) -> ScopeSet {
        guard let rule else { throw .unknownTenant }
        let own = try directory.ownScopes(of: user, tenant)
        let (scopes, client) = (asked ?? own, user.field == .client ? user : nil)
        let known = targets[Self.hash(tenant.name.utf8.span)] ?? []
        let isKnown = known.contains {
            $0.tenant == tenant && $0.scopes == scopes && $0.clientBytes == client?.value ?? []
        }
        if isKnown { return scopes }
        guard allows(scopes, own: own, rule) else {
            throw ErrorReply(.forbidden, Self.reason(scopes, isClient: client != nil, rule))
        }
        if rule.operations.contains(.token), known.count < Self.maxTargets {
            remember(tenant, scopes, own: own, client: client)
        }
        return scopes
    }

    private static func reason(_ scopes: ScopeSet, isClient: Bool, _ rule: AccessRule) -> String {
        guard rule.scopes != nil else {
            return "this peer may ask for the \(isClient ? "client" : "tenant")'s own scopes only"
        }
        // The rule lists scopes, and all that the client has may be more.
        return scopes.isAll
            ? "this peer may not ask for all scopes of the client: name some"
            : "this peer may not ask for one of these scopes"
    }

    // MARK: The rule

    private func allows(_ scopes: ScopeSet, own: ScopeSet, _ rule: AccessRule) -> Bool {
        guard let allowed = rule.scopes else { return scopes.isSubset(of: own) }
        return !scopes.isAll && scopes.scopes.allSatisfy { allowed.contains(String($0)) }
    }

    private func allows(_ user: UserLookup) -> Bool { allows(user.field, user.value.span) }

    private func allows(_ field: LookupField, _ user: borrowing Span<UInt8>) -> Bool {
        switch field {
        case .subject: if allowsAnySubject { return true }
        case .userID: if allowsAnyUserID { return true }
        case .client: return rule?.clients.contains { Array($0.utf8).hasSameBytes(as: user) } ?? false
        }
        let globs = (field == .subject ? rule?.subjects : rule?.userIDs) ?? []
        for glob in globs where glob.matches(user) { return true }
        return false
    }

    private func remember(_ tenant: TenantID, _ scopes: ScopeSet, own: ScopeSet, client: UserLookup?) {
        let target = Target(tenant, scopes, own: own, client: client, in: directory)
        let hash = Self.hash(tenant.name.utf8.span)
        targets[hash, default: []].append(target)
        if target.isDefaultTenant { defaultTargets.append(target) }
    }

    /// Returns a hash of a tenant's name: FNV-1a, as only configured names are in the table.
    private static func hash(_ name: borrowing Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in name.indices { hash = (hash ^ UInt64(name[index])) &* 0x100_0000_01B3 }
        return hash
    }
}

@available(*, unavailable)
extension PeerPermissions: Sendable {}

extension ErrorReply {
    fileprivate static var forbiddenUser: ErrorReply {
        ErrorReply(.forbidden, "this peer may not ask for tokens of that user")
    }

    fileprivate static func forbidden(_ user: UserLookup) -> ErrorReply {
        guard user.field == .client else { return .forbiddenUser }
        return ErrorReply(.forbidden, "this peer may not ask for tokens of that client")
    }

    static var forbiddenGroup: ErrorReply {
        ErrorReply(
            .forbidden,
            "an app may not assign one of these groups: the tenant's 'provision.groups' has no pattern for it"
        )
    }

    fileprivate static var noProvisioning: ErrorReply {
        ErrorReply(.forbidden, "that tenant's users are not provisioned: it has no 'provision' in the configuration")
    }

    fileprivate static var noRevokeClient: ErrorReply {
        ErrorReply(
            .forbidden,
            "that tenant's tokens are not revoked everywhere: it has no 'provision.revoke_client' in the configuration"
        )
    }
}

extension [UInt8] {
    fileprivate func hasSameBytes(as other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
