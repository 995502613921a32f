import TokenProtocol

/// Finds the tenant and the scopes that most requests mean, by a request's own bytes: a tenant with its own scopes.
///
/// It is a class, as every batch takes it along, and so are the tenants in it, as every hit does.
final class PlainTenants: Sendable {
    /// A tenant, its texts also as bytes.
    final class Target: Sendable {
        let name: String
        let scopes: ScopeSet
        fileprivate let nameBytes: [UInt8]
        fileprivate let scopeBytes: [UInt8]

        fileprivate init(_ name: String, _ scopes: ScopeSet) {
            self.name = name
            self.scopes = scopes
            nameBytes = Array(name.utf8)
            scopeBytes = Array(scopes.text.utf8)
        }
    }

    private let targets: [Target]
    private let defaultTarget: Target?

    init(scopes: [String: ScopeSet], defaultTenant: String?) {
        let targets = scopes.map { Target($0.key, $0.value) }
        self.targets = targets
        defaultTarget = targets.first { $0.name == defaultTenant }
    }

    /// The tenant that a request means, if it wants the tenant's own scopes; nil: look closer.
    ///
    /// - Parameters:
    ///   - tenant: The name in the request; empty: there is none.
    ///   - scope: The scopes in the request; empty: there are none.
    func find(_ tenant: borrowing Span<UInt8>, _ scope: borrowing Span<UInt8>) -> Target? {
        guard let target = tenant.isEmpty ? defaultTarget : named(tenant) else { return nil }
        return scope.isEmpty || target.scopeBytes.hasSameBytes(as: scope) ? target : nil
    }

    private func named(_ tenant: borrowing Span<UInt8>) -> Target? {
        for target in targets where target.nameBytes.hasSameBytes(as: tenant) { return target }
        return nil
    }
}

extension [UInt8] {
    fileprivate func hasSameBytes(as other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
