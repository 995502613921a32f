/// The name service's answers so far: the numbers of configured names, and the names of peers' numbers.
package struct KnownAccounts: Sendable, Equatable {
    /// The numbers of configured users, by name.
    package var users: [String: UInt32] = [:]
    /// The numbers of configured groups, by name.
    package var groups: [String: UInt32] = [:]
    /// The names of users, by number.
    package var userNames: [UInt32: String] = [:]
    /// The names of groups, by number.
    package var groupNames: [UInt32: String] = [:]

    /// Creates an account list that knows nothing yet.
    package init() {}

    /// The given names whose numbers are not known yet.
    package func unresolved(_ names: AccountNames) -> AccountNames {
        AccountNames(
            users: names.users.filter { users[$0] == nil },
            groups: names.groups.filter { groups[$0] == nil }
        )
    }
}
