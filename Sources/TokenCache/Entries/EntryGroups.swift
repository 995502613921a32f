import TokenProtocol

/// The pairs of tenant and scopes that entries have, each with a number, which an entry has in place of them.
struct EntryGroups {
    private struct Pair: Hashable {
        let tenant: TenantID
        let scopes: ScopeSet
    }

    private struct Group {
        var pair: Pair
        /// The number of entries.
        var count: Int
    }

    private var groups: ContiguousArray<Group> = []
    private var numbers: [Pair: UInt32] = [:]
    private var free: [UInt32] = []

    /// The number of groups that have entries.
    var count: Int { numbers.count }

    /// Returns the tenant of a group.
    func tenant(of number: UInt32) -> TenantID { groups[Int(number)].pair.tenant }

    /// Returns the scopes of a group.
    func scopes(of number: UInt32) -> ScopeSet { groups[Int(number)].pair.scopes }

    /// True if a group is that of a tenant and scopes.
    func isGroup(_ number: UInt32, _ tenant: TenantID, _ scopes: ScopeSet) -> Bool {
        groups[Int(number)].pair.tenant == tenant && groups[Int(number)].pair.scopes == scopes
    }

    /// True if a group is of a tenant.
    func isGroup(_ number: UInt32, of tenant: TenantID) -> Bool { groups[Int(number)].pair.tenant == tenant }

    /// Returns the number of the group of one more entry.
    mutating func join(_ tenant: TenantID, _ scopes: ScopeSet) -> UInt32 {
        let pair = Pair(tenant: tenant, scopes: scopes)
        if let number = numbers[pair] {
            groups[Int(number)].count += 1
            return number
        }
        let group = Group(pair: pair, count: 1)
        let number = free.popLast() ?? UInt32(groups.count)
        if Int(number) < groups.count { groups[Int(number)] = group } else { groups.append(group) }
        numbers[pair] = number
        return number
    }

    /// Adds one more entry to a group that has some.
    mutating func join(_ number: UInt32) { groups[Int(number)].count += 1 }

    /// Ends the membership of an entry.
    mutating func leave(_ number: UInt32) {
        groups[Int(number)].count -= 1
        guard groups[Int(number)].count == 0 else { return }
        numbers[groups[Int(number)].pair] = nil
        free.append(number)
    }
}
