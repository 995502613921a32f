/// Names of users and groups.
package struct AccountNames: Sendable, Equatable {
    /// Names of users.
    package var users: Set<String>
    /// Names of groups.
    package var groups: Set<String>

    /// Creates a set of names.
    package init(users: Set<String> = [], groups: Set<String> = []) {
        self.users = users
        self.groups = groups
    }

    /// True if there are no names.
    package var isEmpty: Bool { users.isEmpty && groups.isEmpty }

    /// The names with their kind, such as `user 'ann'`, sorted.
    package var all: [String] { users.sorted().map { "user '\($0)'" } + groups.sorted().map { "group '\($0)'" } }

    /// Adds other names.
    package mutating func formUnion(_ others: AccountNames) {
        users.formUnion(others.users)
        groups.formUnion(others.groups)
    }
}
