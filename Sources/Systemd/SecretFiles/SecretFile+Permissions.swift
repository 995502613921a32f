import Glibc
import SystemPackage

/// The checks that only root and the reader can read, change or replace a file.
extension SecretFile {
    /// Rejects a file that belongs to another user, is open to everyone, or is open to a group that the reader isn't
    /// in.
    ///
    /// A group as such is accepted: that is how a file of root's is given to a daemon that isn't root.
    static func checkPermissions(_ status: Stat, for reader: Reader) throws(SecretFileError.Problem) {
        let mode = status.permissions
        let isGroupTrusted = mode.isDisjoint(with: .groupReadWriteExecute) || reader.trusts(status.groupID)
        guard reader.trusts(status.userID), isGroupTrusted, mode.isDisjoint(with: .otherReadWriteExecute) else {
            throw .readableByOthers(
                mode: mode.rawValue,
                owner: status.userID.rawValue,
                group: status.groupID.rawValue
            )
        }
    }

    /// Rejects a file in a directory in which other users could replace it.
    static func checkDirectories(of path: String, for reader: Reader) throws(SecretFileError.Problem) {
        // swift-system has no realpath(3).
        guard let real = unsafe realpath(path, nil) else { throw .unreadable(Errno(rawValue: errno)) }
        defer { unsafe free(real) }
        for directory in directories(above: unsafe String(cString: real)) {
            let status: Stat
            do throws(Errno) { status = unsafe try Stat(directory) } catch { throw .unreadable(error) }
            guard isProtected(status, from: reader) else { throw .replaceableByOthers(directory) }
        }
    }

    /// The directories above a file, from the one that contains it to the root.
    static func directories(above path: String) -> [String] {
        var directories: [String] = []
        var directory = path
        while let slash = directory.lastIndex(of: "/"), directory != "/" {
            directory = slash == directory.startIndex ? "/" : String(directory[..<slash])
            directories.append(directory)
        }
        return directories
    }

    /// Returns true if no other user can replace the files in a directory.
    static func isProtected(_ status: Stat, from reader: Reader) -> Bool {
        let mode = status.permissions
        let isGroupTrusted = !mode.contains(.groupWrite) || reader.trusts(status.groupID)
        let isClosed = isGroupTrusted && !mode.contains(.otherWrite)
        // In a sticky directory only an entry's owner can replace it.
        return reader.trusts(status.userID) && (isClosed || mode.contains(.saveText))
    }
}
