import CLinux
import Glibc
import SystemPackage

extension SecretFile {
    /// The attribute in which the kernel keeps an access control list, in the form that `linux/posix_acl_xattr.h`
    /// describes.
    private static let listName = "system.posix_acl_access"
    private static let (headSize, entrySize) = (4, 8)
    private static let (userTag, groupTag, maskTag) = (0x02 as UInt16, 0x08 as UInt16, 0x10 as UInt16)

    private struct Entry {
        let tag: UInt16
        let rights: UInt32
        let id: UInt32
    }

    /// The bit of an entry's rights that allows writing.
    static let writing: UInt32 = 0x2

    /// Rejects a file whose access control list gives rights to another user, or to a group that the reader isn't in.
    ///
    /// - Parameter rights: The bits of the rights that matter.
    static func checkAccessList(
        of descriptor: FileDescriptor,
        for reader: Reader,
        rights: UInt32 = 0x7
    ) throws(SecretFileError.Problem) {
        let entries = accessList(of: descriptor)
        let mask = entries.first { $0.tag == maskTag }?.rights ?? 7
        for entry in entries where entry.rights & mask & rights != 0 {
            if entry.tag == userTag, entry.id != 0, entry.id != reader.user { throw .listedForUser(entry.id) }
            let isOwnGroup = entry.id == 0 || reader.groups.contains(entry.id)
            if entry.tag == groupTag, !isOwnGroup { throw .listedForGroup(entry.id) }
        }
    }

    /// True if a file has an access control list.
    static func hasAccessList(_ path: String) -> Bool { unsafe getxattr(path, listName, nil, 0) > 0 }

    private static func accessList(of descriptor: FileDescriptor) -> [Entry] {
        var list = [UInt8](repeating: 0, count: 65_536)
        // swift-system has no extended attributes.
        let size = unsafe fgetxattr(descriptor.rawValue, listName, &list, list.count)
        guard size > headSize else { return [] }
        return stride(from: headSize, to: size - entrySize + 1, by: entrySize).map { start in
            let number = { (offset: Int, count: Int) in
                (0..<count).reduce(UInt32(0)) { $0 | UInt32(list[start + offset + $1]) << (8 * $1) }
            }
            return Entry(tag: UInt16(number(0, 2)), rights: number(2, 2), id: number(4, 4))
        }
    }
}
