import Glibc
import SystemPackage

extension SecretFile {
    /// The user who reads a secret.
    package struct Reader: Sendable, Equatable {
        package let user: UInt32
        package let groups: [UInt32]

        /// Creates a reader.
        package init(user: UInt32, groups: [UInt32]) {
            self.user = user
            self.groups = groups
        }

        /// This process.
        package static var current: Reader { Reader(user: geteuid(), groups: ownGroups) }

        func trusts(_ user: UserID) -> Bool { user.rawValue == 0 || user.rawValue == self.user }

        func trusts(_ group: GroupID) -> Bool { group.rawValue == 0 || groups.contains(group.rawValue) }

        /// The groups that this process is in.
        private static var ownGroups: [gid_t] {
            let count = getgroups(0, nil)
            guard count > 0 else { return [getegid()] }
            let further = unsafe [gid_t](unsafeUninitializedCapacity: Int(count)) { groups, filled in
                filled = Int(max(0, unsafe getgroups(count, groups.baseAddress)))
            }
            return further + [getegid()]
        }
    }
}
