import CLinux
import CSystemd
import Glibc
package import Secrets

/// Reads a secret from a file, be it one of systemd's credentials or any other.
package enum SecretFile {
    /// The most that a secret may have, in bytes: OAuth servers make them of a few hundred, so more is another file.
    private static let largest = 65_536

    /// The path of a credential; nil where systemd has handed none over, and for a name that would lead out of its folder.
    ///
    /// - Parameters:
    ///   - name: As in `LoadCredential=`.
    ///   - directory: `CREDENTIALS_DIRECTORY` of the environment.
    package static func path(ofCredential name: String, in directory: String?) -> String? {
        guard let directory, !directory.isEmpty, !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            return nil
        }
        return "\(directory)/\(name)"
    }

    /// A file as it is: another one, or another time, where its content has changed.
    package struct Stamp: Sendable, Equatable {
        private let device: UInt
        private let inode: UInt
        private let size: Int
        private let seconds: Int
        private let nanoseconds: Int

        fileprivate init(_ status: stat) {
            (device, inode, size) = (UInt(status.st_dev), UInt(status.st_ino), Int(status.st_size))
            (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        }
    }

    /// A file as it is; nil: it can't be seen.
    package static func stamp(_ path: String) -> Stamp? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Stamp(status) : nil
    }

    /// Who besides root and this process's own user may have a hand in a file.
    package enum Trust: Sendable {
        /// Nobody: a file that others can read or change is refused.
        case ownFile
        /// Systemd decides, which hands credentials over in a folder of the unit's own.
        case credential
    }

    /// Reads a file's content without the line ends that editors put behind it.
    ///
    /// - Parameters:
    ///   - trust: Whose hands may be in it.
    ///   - isKey: Whether it is a key, of which the reader decides what it may look like; a client's secret is one line.
    ///   - memory: What to take the secret's memory from; nil: the heap.
    package static func read(
        _ path: String,
        trusting trust: Trust = .ownFile,
        isKey: Bool = false,
        in memory: SecretMemory? = nil
    ) throws(SecretFileError) -> ClientSecret {
        // Non-blocking: to open a pipe that nobody writes to would hold the daemon up for ever.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw SecretFileError(path: path, problem: .unreadable(errno)) }
        defer { close(descriptor) }
        do throws(SecretFileError.Problem) {
            let status = try status(of: descriptor)
            guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
            if case .ownFile = trust {
                try refuseShared(status)
                try refuseSharedList(of: descriptor)
                try refuseSharedFolders(of: path)
            }
            return try secret(from: descriptor, isKey: isKey, memory)
        } catch {
            throw SecretFileError(path: path, problem: error)
        }
    }

    private static func status(of descriptor: CInt) throws(SecretFileError.Problem) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(errno) }
        return status
    }

    /// Refuses a file that belongs to another user, is open to everyone, or is open to a group that this process isn't in.
    ///
    /// Groups are not refused as such: that is how a file of root's is given to a daemon that isn't root.
    private static func refuseShared(_ status: stat) throws(SecretFileError.Problem) {
        let isOwners = status.st_uid == 0 || status.st_uid == geteuid()
        let isGroups = status.st_mode & S_IRWXG == 0 || status.st_gid == 0 || ownGroups.contains(status.st_gid)
        guard isOwners, isGroups, status.st_mode & S_IRWXO == 0 else {
            throw .readableByOthers(mode: status.st_mode & 0o7777, owner: status.st_uid, group: status.st_gid)
        }
    }

    // MARK: Access control lists

    /// The attribute that the kernel keeps a list in, as `acl(5)` and `linux/posix_acl_xattr.h` describe it.
    private static let listName = "system.posix_acl_access"
    private static let (headSize, entrySize) = (4, 8)
    private static let (userTag, groupTag, maskTag) = (0x02 as UInt16, 0x08 as UInt16, 0x10 as UInt16)

    /// Refuses a file whose access control list gives something to users or groups that this process isn't.
    private static func refuseSharedList(of descriptor: CInt) throws(SecretFileError.Problem) {
        var list = [UInt8](repeating: 0, count: 65_536)
        let size = unsafe fgetxattr(descriptor, listName, &list, list.count)
        guard size > headSize else { return }
        let entries = stride(from: headSize, to: size - entrySize + 1, by: entrySize).map { start in
            let number = { (offset: Int, count: Int) in
                (0..<count).reduce(UInt32(0)) { $0 | UInt32(list[start + offset + $1]) << (8 * $1) }
            }
            return (tag: UInt16(number(0, 2)), rights: number(2, 2), id: number(4, 4))
        }
        let mask = entries.first { $0.tag == maskTag }?.rights ?? 7
        for entry in entries where entry.rights & mask != 0 {
            if entry.tag == userTag, entry.id != 0, entry.id != geteuid() { throw .listedForUser(entry.id) }
            if entry.tag == groupTag, entry.id != 0, !ownGroups.contains(entry.id) { throw .listedForGroup(entry.id) }
        }
    }

    // MARK: Folders

    /// Refuses a file in a folder in which others could put another in its place.
    private static func refuseSharedFolders(of path: String) throws(SecretFileError.Problem) {
        guard let real = unsafe realpath(path, nil) else { throw .unreadable(errno) }
        defer { unsafe free(real) }
        var folder = unsafe String(cString: real)
        while let slash = folder.lastIndex(of: "/"), folder != "/" {
            folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
            var status = stat()
            guard unsafe stat(folder, &status) == 0 else { throw .unreadable(errno) }
            let isOwners = status.st_uid == 0 || status.st_uid == geteuid()
            let isGroups = status.st_mode & S_IWGRP == 0 || status.st_gid == 0 || ownGroups.contains(status.st_gid)
            let isClosed = isGroups && status.st_mode & S_IWOTH == 0
            // In a sticky folder only an entry's owner can replace it.
            guard isOwners, isClosed || status.st_mode & S_ISVTX != 0 else { throw .replaceableByOthers(folder) }
        }
    }

    private static var ownGroups: [gid_t] {
        let count = getgroups(0, nil)
        guard count > 0 else { return [getegid()] }
        let further = unsafe [gid_t](unsafeUninitializedCapacity: Int(count)) { groups, filled in
            filled = Int(max(0, unsafe getgroups(count, groups.baseAddress)))
        }
        return further + [getegid()]
    }

    private static func secret(
        from descriptor: CInt,
        isKey: Bool,
        _ memory: SecretMemory?
    ) throws(SecretFileError.Problem) -> ClientSecret {
        // By hand, as an array's memory could be copied before it is overwritten. One byte more than may be there.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: largest + 1, alignment: 1)
        defer {
            if let start = buffer.baseAddress { unsafe explicit_bzero(start, buffer.count) }
            unsafe buffer.deallocate()
        }
        let count = try unsafe fill(buffer, from: descriptor)
        guard count <= largest else { throw .tooLarge }
        var text = unsafe buffer[..<count]
        while let last = unsafe text.last, last == 0x0A || last == 0x0D { unsafe text.removeLast() }
        guard unsafe !text.isEmpty else { throw .empty }
        guard unsafe isKey || text.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .notText }
        guard let secret = unsafe SecretBytes(copying: UnsafeRawBufferPointer(rebasing: text), in: memory) else {
            throw .noMemory
        }
        return ClientSecret(secret)
    }

    /// Reads until the file's or the buffer's end, and says how many bytes came.
    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer,
        from descriptor: CInt
    ) throws(SecretFileError.Problem) -> Int {
        var count = 0
        while count < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let bytes = unsafe Glibc.read(descriptor, rest.baseAddress, rest.count)
            if bytes < 0 {
                guard errno == EINTR else { throw .unreadable(errno) }
                continue
            }
            guard bytes > 0 else { break }
            count += bytes
        }
        return count
    }
}
