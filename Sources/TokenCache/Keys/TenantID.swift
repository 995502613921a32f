/// Which tenant and which client of it something belongs to.
///
/// It is the number that counts: a reload that changes a tenant's host or client, or removes it, retires the number for
/// good, so nothing that was begun for one origin can reach another. The name is for people.
package struct TenantID: Sendable, Hashable {
    /// Given once and never again while the daemon runs.
    package let number: UInt32
    /// The tenant's name in the configuration.
    package let name: String

    /// Names a tenant.
    package init(number: UInt32, name: String) {
        self.number = number
        self.name = name
    }

    /// Compares the numbers.
    package static func == (left: TenantID, right: TenantID) -> Bool { left.number == right.number }

    /// Hashes the number.
    package func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

/// Gives the tenants of each configuration their identities.
package struct TenantRoster: Sendable {
    private var known: [String: (id: TenantID, identity: TenantPolicy.Identity)] = [:]
    private var lastNumber: UInt32 = 0

    /// A roster without tenants.
    package init() {}

    /// The identities of the tenants of a configuration: a tenant of the same name, host and client keeps its own.
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
