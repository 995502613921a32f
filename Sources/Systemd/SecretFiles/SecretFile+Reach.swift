import Glibc
import SystemPackage

extension SecretFile {
    /// Returns the first directory that a reader can't pass on the way to a file, or the file if it can't be read.
    ///
    /// Only modes are looked at. A file or directory with an access control list counts as open, as the list may give
    /// the right.
    package static func obstacle(to path: String, for reader: Reader) -> String? {
        guard reader.user != 0, let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        let file = unsafe String(cString: real)
        var directory = ""
        for part in file.split(separator: "/").dropLast() {
            directory += "/\(part)"
            let rights = (.ownerExecute, .groupExecute, .otherExecute) as Rights
            guard isOpen(directory, reader, rights) else { return directory }
        }
        return isOpen(file, reader, (.ownerRead, .groupRead, .otherRead)) ? nil : path
    }

    private typealias Rights = (owner: FilePermissions, group: FilePermissions, other: FilePermissions)

    private static func isOpen(_ path: String, _ reader: Reader, _ rights: Rights) -> Bool {
        guard let status = unsafe try? Stat(path), !hasAccessList(path) else { return true }
        let mode = status.permissions
        if status.userID.rawValue == reader.user { return mode.contains(rights.owner) }
        return mode.contains(reader.groups.contains(status.groupID.rawValue) ? rights.group : rights.other)
    }
}
