import Glibc

/// Looks users and groups up in the machine's name service, which may ask a server: not for an event loop.
package enum Accounts {
    /// Room for the longest line of an account file that is worth reading; a larger group is given by number.
    private static let roomForNames = 65_536

    /// The number of a user who is given by name or number; nil: there is none of that name.
    package static func user(_ name: String) -> UInt32? {
        if let number = uid_t(name) { return number }
        var user = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: roomForNames)
        let code = unsafe getpwnam_r(name, &user, &room, room.count, &found)
        guard code == 0, unsafe found != nil else { return nil }
        return unsafe user.pw_uid
    }

    /// The number of a group that is given by name or number; nil: there is none of that name.
    package static func group(_ name: String) -> UInt32? {
        if let number = gid_t(name) { return number }
        var group = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var room = [CChar](repeating: 0, count: roomForNames)
        let code = unsafe getgrnam_r(name, &group, &room, room.count, &found)
        guard code == 0, unsafe found != nil else { return nil }
        return unsafe group.gr_gid
    }
}
