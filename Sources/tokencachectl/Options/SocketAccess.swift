import Glibc

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The users that a socket's file lets connect.
package struct SocketAccess: Sendable, Equatable {
    /// The bits of a mode that let a group connect: connecting is writing.
    private static let groupMayWrite: mode_t = 0o020

    /// The owner's name, or nil if it isn't known.
    package let owner: String?
    /// The name of the group whose members may connect, or nil if only the owner may.
    package let group: String?

    /// Describes a socket's file.
    package init(owner: String?, group: String?) {
        self.owner = owner
        self.group = group
    }

    /// Reads who may connect to the socket at a path, as far as this user can see it.
    init?(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0, let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        else { return nil }
        owner = attributes[.ownerAccountName] as? String
        group = status.st_mode & Self.groupMayWrite != 0 ? attributes[.groupOwnerAccountName] as? String : nil
    }
}
