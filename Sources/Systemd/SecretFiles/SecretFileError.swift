package import SystemPackage

/// The reason why a secret can't be read, without any of the file's content.
package struct SecretFileError: Error, Equatable, CustomStringConvertible {
    /// A fault of a file.
    package enum Problem: Error, Equatable {
        /// A system call failed.
        case unreadable(Errno)
        /// It is a directory, a pipe or a device.
        case notAFile
        /// Other users can read or change it.
        case readableByOthers(mode: UInt32, owner: UInt32, group: UInt32)
        /// Its access control list gives rights to this user.
        case listedForUser(UInt32)
        /// Its access control list gives rights to this group.
        case listedForGroup(UInt32)
        /// Other users can change this directory above it, and so replace the file.
        case replaceableByOthers(String)
        /// It is empty.
        case empty
        /// It is larger than a secret can be.
        case tooLarge
        /// It holds something that can't be an OAuth client's secret (RFC 6749, appendix A.2: visible ASCII and space).
        case notText
        /// There is no memory left for it.
        case noMemory
    }

    /// The file's path.
    package let path: String
    /// The fault of the file.
    package let problem: Problem

    /// Creates an error for a file.
    package init(path: String, problem: Problem) {
        self.path = path
        self.problem = problem
    }

    /// A sentence for operators.
    package var description: String {
        switch problem {
        case .unreadable(let error): "\(path) can't be read: \(error)"
        case .notAFile: "\(path) is not a regular file"
        case .readableByOthers(let mode, let owner, let group):
            """
            \(path) can be read or changed by others: its mode is \(String(mode, radix: 8)), its owner \(owner), its group \
            \(group); it should belong to root or the daemon's user and have mode 600
            """
        case .listedForUser(let user):
            "\(path) is open to user \(user) by its access control list: remove that with setfacl -b \(path)"
        case .listedForGroup(let group):
            "\(path) is open to group \(group) by its access control list: remove that with setfacl -b \(path)"
        case .replaceableByOthers(let directory):
            "\(path) could be replaced by others: its directory \(directory) should belong to root or the daemon's user, "
                + "and be writable for nobody else"
        case .empty: "\(path) is empty"
        case .tooLarge: "\(path) is larger than a secret can be"
        case .notText: "\(path) holds bytes that no client secret has: it should be one line of visible ASCII"
        case .noMemory: "\(path) can't be read: there is no memory left for a secret"
        }
    }
}
