/// Users and groups by name.
package struct AccountNames: Sendable, Equatable {
    /// Users.
    package var users: Set<String>
    /// Groups.
    package var groups: Set<String>

    /// Names them.
    package init(users: Set<String> = [], groups: Set<String> = []) {
        self.users = users
        self.groups = groups
    }

    /// Whether there are none.
    package var isEmpty: Bool { users.isEmpty && groups.isEmpty }

    /// Each with its kind, such as `user 'ann'`, sorted.
    package var all: [String] { users.sorted().map { "user '\($0)'" } + groups.sorted().map { "group '\($0)'" } }

    /// Adds others.
    package mutating func formUnion(_ others: AccountNames) {
        users.formUnion(others.users)
        groups.formUnion(others.groups)
    }
}

/// The name service's answers so far: the numbers of configured names, and the names of peers' numbers.
package struct KnownAccounts: Sendable, Equatable {
    /// Configured users by name.
    package var users: [String: UInt32] = [:]
    /// Configured groups by name.
    package var groups: [String: UInt32] = [:]
    /// Names of users by number.
    package var userNames: [UInt32: String] = [:]
    /// Names of groups by number.
    package var groupNames: [UInt32: String] = [:]

    /// Nothing is known yet.
    package init() {}

    /// Those of some names that are not known yet.
    package func unresolved(_ names: AccountNames) -> AccountNames {
        AccountNames(
            users: names.users.filter { users[$0] == nil },
            groups: names.groups.filter { groups[$0] == nil }
        )
    }
}
