import SafeText

/// Why a secret could not be read; it never shows any of the file.
package struct SecretFileError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    package enum Problem: Error, Equatable {
        /// A call of the kernel failed.
        case unreadable(Int32)
        /// It is a folder, a pipe or a device.
        case notAFile
        /// Others can read it, or could change it.
        case readableByOthers(mode: UInt32, owner: UInt32, group: UInt32)
        /// Its access control list gives something to this user.
        case listedForUser(UInt32)
        /// Its access control list gives something to this group.
        case listedForGroup(UInt32)
        /// Others can change this folder above it, and so put another file in its place.
        case replaceableByOthers(String)
        /// It holds nothing.
        case empty
        /// It holds more than a secret.
        case tooLarge
        /// It holds something that can't be an OAuth client's secret (RFC 6749, appendix A.2: visible ASCII and space).
        case notText
        /// There is no memory left for it.
        case noMemory
    }

    /// The file.
    package let path: String
    /// What is wrong with it.
    package let problem: Problem

    /// Makes it.
    package init(path: String, problem: Problem) {
        self.path = path
        self.problem = problem
    }

    /// A sentence for operators.
    package var description: String {
        switch problem {
        case .unreadable(let code): "\(path) can't be read: \(errorText(code))"
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
        case .replaceableByOthers(let folder):
            "\(path) could be replaced by others: its folder \(folder) should belong to root or the daemon's user, and be "
                + "writable for nobody else"
        case .empty: "\(path) is empty"
        case .tooLarge: "\(path) is larger than a secret can be"
        case .notText: "\(path) holds bytes that no client secret has: it should be one line of visible ASCII"
        case .noMemory: "\(path) can't be read: there is no memory left for a secret"
        }
    }
}
