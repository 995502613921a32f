import Glibc
import SystemPackage

/// The checks that only root and this process's own user can read, change or replace a file.
extension SecretFile {
    /// Rejects a file that belongs to another user, is open to everyone, or is open to a group that this process isn't
    /// in.
    ///
    /// A group as such is accepted: that is how a file of root's is given to a daemon that isn't root.
    static func checkPermissions(_ status: Stat) throws(SecretFileError.Problem) {
        let mode = status.permissions
        let isGroupTrusted = mode.isDisjoint(with: .groupReadWriteExecute) || isTrusted(status.groupID)
        guard isTrusted(status.userID), isGroupTrusted, mode.isDisjoint(with: .otherReadWriteExecute) else {
            throw .readableByOthers(
                mode: mode.rawValue,
                owner: status.userID.rawValue,
                group: status.groupID.rawValue
            )
        }
    }

    /// Rejects a file in a directory in which other users could replace it.
    static func checkDirectories(of path: String) throws(SecretFileError.Problem) {
        // swift-system has no realpath(3).
        guard let real = unsafe realpath(path, nil) else { throw .unreadable(Errno(rawValue: errno)) }
        defer { unsafe free(real) }
        var directory = unsafe String(cString: real)
        while let slash = directory.lastIndex(of: "/"), directory != "/" {
            directory = slash == directory.startIndex ? "/" : String(directory[..<slash])
            let status: Stat
            do throws(Errno) { status = unsafe try Stat(directory) } catch { throw .unreadable(error) }
            guard isProtected(status) else { throw .replaceableByOthers(directory) }
        }
    }

    /// Returns true if no other user can replace the files in a directory.
    private static func isProtected(_ status: Stat) -> Bool {
        let mode = status.permissions
        let isGroupTrusted = !mode.contains(.groupWrite) || isTrusted(status.groupID)
        let isClosed = isGroupTrusted && !mode.contains(.otherWrite)
        // In a sticky directory only an entry's owner can replace it.
        return isTrusted(status.userID) && (isClosed || mode.contains(.saveText))
    }

    private static func isTrusted(_ user: UserID) -> Bool { user.rawValue == 0 || user.rawValue == geteuid() }

    private static func isTrusted(_ group: GroupID) -> Bool {
        group.rawValue == 0 || ownGroups.contains(group.rawValue)
    }

    /// The groups that this process is in.
    static var ownGroups: [gid_t] {
        let count = getgroups(0, nil)
        guard count > 0 else { return [getegid()] }
        let further = unsafe [gid_t](unsafeUninitializedCapacity: Int(count)) { groups, filled in
            filled = Int(max(0, unsafe getgroups(count, groups.baseAddress)))
        }
        return further + [getegid()]
    }
}
