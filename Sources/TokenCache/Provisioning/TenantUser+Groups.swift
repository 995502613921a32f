/// The comparison of a user's groups with those that a request names.
extension TenantUser {
    /// The changes of a user's groups that are left to make.
    struct GroupDifference: Equatable {
        /// The provider type of groups that are assigned by their names.
        private static let assignedProviderType = "custom"

        /// The names of the groups that the user has to be added to.
        var adding: [String]
        /// The groups that the user has to be removed from.
        var removing: [Group]
        /// The other groups that the user is in.
        var keeping: [Group]

        /// True if the user is in the right groups.
        var isEmpty: Bool { adding.isEmpty && removing.isEmpty }

        /// All groups that the user is in afterwards.
        var result: [Group] {
            keeping + adding.map { Group(name: $0, providerType: Self.assignedProviderType) }
        }
    }

    /// Returns the changes after which the user is in all named groups, and in no other one that a policy covers.
    ///
    /// Names are compared byte by byte.
    func difference(from names: [String], _ policy: ProvisioningPolicy) -> GroupDifference {
        let present = Set(groups.map { Array($0.name.utf8) })
        let named = Set(names.map { Array($0.utf8) })
        var difference = GroupDifference(adding: [], removing: [], keeping: [])
        difference.adding = names.filter { !present.contains(Array($0.utf8)) }
        for group in groups {
            if named.contains(Array(group.name.utf8)) || !policy.covers(group.name) {
                difference.keeping.append(group)
            } else {
                difference.removing.append(group)
            }
        }
        return difference
    }
}
