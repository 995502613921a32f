/// A user, as the tenant describes one.
package struct TenantUser: Sendable, Equatable {
    /// A group that the user is assigned to.
    package struct Group: Sendable, Equatable {
        /// The group's id, or nil if the tenant doesn't say.
        package var id: String?
        /// The group's name.
        package var name: String
        /// The kind of source that the group comes from, such as `custom` or `idp`, or nil if the tenant doesn't say.
        package var providerType: String?

        /// Creates a group.
        package init(id: String? = nil, name: String, providerType: String? = nil) {
            self.id = id
            self.name = name
            self.providerType = providerType
        }
    }

    /// The tenant's own id of the user.
    package var id: String
    /// The subject, as UTF-8.
    package var subject: [UInt8]
    /// The status: `active`, `invited`, `disabled`, `deleted` or another one.
    package var status: String
    /// The groups that the user is assigned to.
    package var groups: [Group]

    /// Creates a user.
    package init(id: String, subject: [UInt8], status: String, groups: [Group] = []) {
        self.id = id
        self.subject = subject
        self.status = status
        self.groups = groups
    }
}
