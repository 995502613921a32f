package import TokenCache
package import TokenProtocol

/// The permissions of the peers that match one rule: checks requests against it, and finds the keys that they name.
///
/// The first request that names a tenant and scopes decides if they are permitted. The result is remembered, so that a
/// hit only compares bytes with the short list of its tenant, of which there may be a thousand. It lives on the server's event loop.
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

        fileprivate init(_ tenant: TenantID, _ scopes: ScopeSet, in directory: TenantDirectory) {
            self.tenant = tenant
            self.scopes = scopes
            isDefaultTenant = tenant.name == directory.defaultTenant
            isOwnScopes = scopes == directory.scopes(of: tenant)
            nameBytes = Array(tenant.name.utf8)
            scopeBytes = Array(scopes.text.utf8)
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
            if let scopes = directory.scopes(of: tenant), allows(scopes, own: scopes, rule) { remember(tenant, scopes) }
        }
    }

    // MARK: Lists

    /// The operations.
    package var operations: Set<OperationName> { rule?.operations ?? [] }

    /// The tenants' names, sorted.
    package var tenants: [String] { permitted.map(\.name) }

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
            return allows(field, user) ? target : nil
        }
        return nil
    }

    // MARK: Requests

    /// The key of a request for one user's token.
    package func key(for request: KeyRequest, _ operation: OperationName) throws(ErrorReply) -> TokenKey {
        let target = try target(request, operation)
        guard allows(request.user) else { throw .forbiddenUser }
        return TokenKey(tenant: target.tenant, user: request.user, scopes: target.scopes)
    }

    /// The keys of a prefetch.
    ///
    /// One forbidden user makes all of it forbidden.
    package func keys(for request: PrefetchRequest) throws(ErrorReply) -> [TokenKey] {
        guard let first = request.users.first else { return [] }
        let target = try target(KeyRequest(user: first, tenant: request.tenant, scopes: request.scopes), .prefetch)
        guard firstForbidden(of: request.users) == nil else { throw .forbiddenUser }
        return request.users.map { TokenKey(tenant: target.tenant, user: $0, scopes: target.scopes) }
    }

    /// The user of a logout, and its scopes, which are nil for all.
    package func logout(_ request: KeyRequest) throws(ErrorReply) -> (user: UserKey, scopes: ScopeSet?) {
        let tenant = try tenant(request, .revoke)
        guard allows(request.user) else { throw .forbiddenUser }
        let user = UserKey(tenant: tenant, user: request.user)
        guard let asked = request.scopes else { return (user, nil) }
        return (user, try scopes(asked, of: tenant))
    }

    /// The first of the given users whose tokens the peers may not request.
    package func firstForbidden(of users: [UserLookup]) -> UserLookup? { users.first { !allows($0) } }

    private func target(
        _ request: KeyRequest,
        _ operation: OperationName
    ) throws(ErrorReply) -> (tenant: TenantID, scopes: ScopeSet) {
        let tenant = try tenant(request, operation)
        return (tenant, try scopes(request.scopes, of: tenant))
    }

    private func tenant(_ request: KeyRequest, _ operation: OperationName) throws(ErrorReply) -> TenantID {
        guard let rule, rule.operations.contains(operation) else {
            throw ErrorReply(.forbidden, "this peer may not use this operation")
        }
        let tenant = try directory.tenant(request.tenant)
        guard rule.tenants?.contains(tenant.name) ?? true else {
            throw ErrorReply(.forbidden, "this peer may not ask for tokens of that tenant")
        }
        return tenant
    }

    private func scopes(_ asked: ScopeSet?, of tenant: TenantID) throws(ErrorReply) -> ScopeSet {
        guard let rule, let own = directory.scopes(of: tenant) else { throw .unknownTenant }
        let scopes = asked ?? own
        let known = targets[Self.hash(tenant.name.utf8.span)] ?? []
        if known.contains(where: { $0.tenant == tenant && $0.scopes == scopes }) { return scopes }
        guard allows(scopes, own: own, rule) else {
            throw ErrorReply(
                .forbidden,
                rule.scopes == nil
                    ? "this peer may ask for the tenant's own scopes only"
                    : "this peer may not ask for one of these scopes"
            )
        }
        if rule.operations.contains(.token), known.count < Self.maxTargets { remember(tenant, scopes) }
        return scopes
    }

    // MARK: The rule

    private func allows(_ scopes: ScopeSet, own: ScopeSet, _ rule: AccessRule) -> Bool {
        guard let allowed = rule.scopes else { return scopes.isSubset(of: own) }
        return scopes.scopes.allSatisfy { allowed.contains(String($0)) }
    }

    private func allows(_ user: UserLookup) -> Bool { allows(user.field, user.value.span) }

    private func allows(_ field: LookupField, _ user: borrowing Span<UInt8>) -> Bool {
        switch field {
        case .subject: if allowsAnySubject { return true }
        case .userID: if allowsAnyUserID { return true }
        }
        let globs = (field == .subject ? rule?.subjects : rule?.userIDs) ?? []
        for glob in globs where glob.matches(user) { return true }
        return false
    }

    private func remember(_ tenant: TenantID, _ scopes: ScopeSet) {
        let target = Target(tenant, scopes, in: directory)
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
}

extension [UInt8] {
    fileprivate func hasSameBytes(as other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
