/// Assigns identities to the tenants of each configuration.
package struct TenantRegistry: Sendable {
    private var known: [String: (id: TenantID, identity: TenantPolicy.Identity)] = [:]
    private var lastNumber: UInt32 = 0

    /// Creates a registry without tenants.
    package init() {}

    /// Returns the identities of a configuration's tenants.
    ///
    /// A tenant with the same name, host and client keeps its own.
    package mutating func identify(_ tenants: [String: TenantPolicy.Identity]) -> [String: TenantID] {
        var present: [String: (id: TenantID, identity: TenantPolicy.Identity)] = [:]
        for (name, identity) in tenants.sorted(by: { $0.key < $1.key }) {
            if let known = known[name], known.identity == identity {
                present[name] = known
            } else {
                lastNumber += 1
                present[name] = (TenantID(number: lastNumber, name: name), identity)
            }
        }
        known = present
        return present.mapValues(\.id)
    }
}
