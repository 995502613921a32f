import Glibc
import SystemPackage

extension SecretFile {
    /// Returns the first file or directory by which users other than root and a reader can change what is at a path.
    ///
    /// That is the file or directory at the path itself, or a directory above it, in which they can replace it.
    ///
    /// - Returns: Its path, or nil if there is none or it can't be seen.
    package static func weakness(of path: String, for reader: Reader) -> String? {
        guard let real = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(real) }
        let file = unsafe String(cString: real)
        guard !isChangeable(file, for: reader) else { return path }
        // A link on the way can be replaced as well as the file itself.
        return (directories(above: path) + directories(above: file)).first { directory in
            unsafe (try? Stat(directory)).map { !isProtected($0, from: reader) } ?? false
        }
    }

    private static func isChangeable(_ path: String, for reader: Reader) -> Bool {
        guard let status = unsafe try? Stat(path) else { return false }
        let mode = status.permissions
        let isGroupTrusted = !mode.contains(.groupWrite) || reader.trusts(status.groupID)
        guard reader.trusts(status.userID), isGroupTrusted, !mode.contains(.otherWrite) else { return true }
        let options: FileDescriptor.OpenOptions = [.closeOnExec, .nonBlocking, .init(rawValue: O_NOCTTY)]
        guard let descriptor = unsafe try? FileDescriptor.open(path, .readOnly, options: options) else { return false }
        defer { try? descriptor.close() }
        do throws(SecretFileError.Problem) {
            try checkAccessList(of: descriptor, for: reader, rights: writing)
            return false
        } catch { return true }
    }
}
