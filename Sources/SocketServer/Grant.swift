package import TokenCache
package import TokenProtocol

/// What the peers of one rule may ask for: checks requests against it, and finds the keys that they mean.
///
/// Which tenant and scopes a request may name is decided when it first does and remembered, so that a hit looks into a
/// short list of bytes. It lives on the server's event loop.
package final class Grant {
    /// A tenant with scopes that may be asked for, its texts also as bytes.
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

    /// An app names a handful of sets of scopes; past this a request costs the look at the rule.
    private static let mostTargets = 64

    private let rule: AccessRule?
    private let directory: TenantDirectory
    private let allowsAnySubject: Bool
    private let allowsAnyUserID: Bool
    private var targets: [Target] = []

    /// What a rule gives; nil: nothing.
    package init(_ rule: AccessRule?, _ directory: TenantDirectory) {
        self.rule = rule
        self.directory = directory
        allowsAnySubject = rule?.subjects.contains(where: \.fitsAll) ?? false
        allowsAnyUserID = rule?.userIDs.contains(where: \.fitsAll) ?? false
        guard let rule, rule.operations.contains(.token) else { return }
        // The default tenant first: most requests name none.
        for tenant in own.sorted(by: { left, _ in left.name == directory.defaultTenant }) {
            if let scopes = directory.scopes(of: tenant), allows(scopes, own: scopes, rule) { remember(tenant, scopes) }
        }
    }

    // MARK: What it gives

    /// The operations.
    package var operations: Set<OperationName> { rule?.operations ?? [] }

    /// The tenants' names, sorted.
    package var tenants: [String] { own.map(\.name) }

    private var own: [TenantID] {
        guard let rule else { return [] }
        return directory.ids.filter { rule.tenants?.contains($0.name) ?? true }
    }

    // MARK: Hits

    /// The target that a request for a token means by its own bytes; nil: look closer.
    ///
    /// - Parameters:
    ///   - tenant: The name in the request; empty: there is none.
    ///   - scope: The scopes in the request; empty: there are none.
    package func find(
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ tenant: borrowing Span<UInt8>,
        _ scope: borrowing Span<UInt8>
    ) -> Target? {
        for target in targets
        where (tenant.isEmpty ? target.isDefaultTenant : target.nameBytes.hasSameBytes(as: tenant))
            && (scope.isEmpty ? target.isOwnScopes : target.scopeBytes.hasSameBytes(as: scope))
        {
            return allows(field, user) ? target : nil
        }
        return nil
    }

    // MARK: Requests

    /// The key that a request for one user's token means.
    package func key(for request: KeyRequest, _ operation: OperationName) throws(ErrorReply) -> TokenKey {
        let target = try target(request, operation)
        guard allows(request.user) else { throw .forbiddenUser }
        return TokenKey(tenant: target.tenant, user: request.user, scopes: target.scopes)
    }

    /// The keys that a prefetch means; one that may not be asked for makes all of it forbidden.
    package func keys(for request: PrefetchRequest) throws(ErrorReply) -> [TokenKey] {
        guard let first = request.users.first else { return [] }
        let target = try target(KeyRequest(user: first, tenant: request.tenant, scopes: request.scopes), .prefetch)
        guard firstForbidden(of: request.users) == nil else { throw .forbiddenUser }
        return request.users.map { TokenKey(tenant: target.tenant, user: $0, scopes: target.scopes) }
    }

    /// The user whom a logout means, and which scopes of theirs: nil means all.
    package func logout(_ request: KeyRequest) throws(ErrorReply) -> (user: UserKey, scopes: ScopeSet?) {
        let tenant = try tenant(request, .revoke)
        guard allows(request.user) else { throw .forbiddenUser }
        let user = UserKey(tenant: tenant, user: request.user)
        guard let asked = request.scopes else { return (user, nil) }
        return (user, try scopes(asked, of: tenant))
    }

    /// The first user who may not be asked for.
    func firstForbidden(of users: [UserLookup]) -> UserLookup? { users.first { !allows($0) } }

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
        guard let rule, let own = directory.scopes(of: tenant) else { throw .noSuchTenant }
        let scopes = asked ?? own
        if targets.contains(where: { $0.tenant == tenant && $0.scopes == scopes }) { return scopes }
        guard allows(scopes, own: own, rule) else {
            throw ErrorReply(
                .forbidden,
                rule.scopes == nil
                    ? "this peer may ask for the tenant's own scopes only"
                    : "this peer may not ask for one of these scopes"
            )
        }
        if rule.operations.contains(.token), targets.count < Self.mostTargets { remember(tenant, scopes) }
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
        for glob in globs where glob.fits(user) { return true }
        return false
    }

    private func remember(_ tenant: TenantID, _ scopes: ScopeSet) {
        targets.append(Target(tenant, scopes, in: directory))
    }
}

@available(*, unavailable)
extension Grant: Sendable {}

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
