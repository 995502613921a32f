/// A change of a user's groups, in one of the two forms that a tenant may take.
package enum GroupChange: Sendable, Equatable {
    /// Add some groups by their names, and remove others.
    case edit(adding: [String], removing: [TenantUser.Group])
    /// Replace all groups.
    case replace([TenantUser.Group])
}
