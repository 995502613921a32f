import Glibc

/// Asks the machine's name service, which may ask a server and take its time: not for an event loop.
package enum Accounts {
    /// The name service's answer for a name.
    package enum Answer: Sendable, Equatable {
        /// The number.
        case number(UInt32)
        /// There is none of that name.
        case unknown
        /// The name service could not say, with the error's number.
        case failed(CInt)

        /// The number, if there is one.
        package var number: UInt32? {
            guard case .number(let number) = self else { return nil }
            return number
        }
    }

    /// Room for the longest line of an account file that is worth reading; a larger group is given by number.
    private static let roomForNames = 65_536

    /// The number that a text of nothing but digits is; nil: it is a name.
    package static func number(_ text: String) -> UInt32? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt32(text) : nil
    }

    /// The number of a user who is given by name or number.
    package static func user(_ name: String) -> Answer {
        if let number = number(name) { return .number(number) }
        var user = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: roomForNames)
        let code = unsafe getpwnam_r(name, &user, &room, room.count, &found)
        return unsafe answer(code, found == nil ? nil : user.pw_uid)
    }

    /// The number of a group that is given by name or number.
    package static func group(_ name: String) -> Answer {
        if let number = number(name) { return .number(number) }
        var group = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var room = [CChar](repeating: 0, count: roomForNames)
        let code = unsafe getgrnam_r(name, &group, &room, room.count, &found)
        return unsafe answer(code, found == nil ? nil : group.gr_gid)
    }

    /// The name of a user; nil: it has none that is known now.
    package static func name(ofUser number: UInt32) -> String? {
        var user = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: roomForNames)
        guard unsafe getpwuid_r(number, &user, &room, room.count, &found) == 0, unsafe found != nil else { return nil }
        return unsafe String(cString: user.pw_name)
    }

    /// The name of a group; nil: it has none that is known now.
    package static func name(ofGroup number: UInt32) -> String? {
        var group = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var room = [CChar](repeating: 0, count: roomForNames)
        guard unsafe getgrgid_r(number, &group, &room, room.count, &found) == 0, unsafe found != nil else { return nil }
        return unsafe String(cString: group.gr_name)
    }

    /// Users that can be listed, by number: the local ones at least.
    ///
    /// - Parameter most: No more than so many.
    package static func listUsers(most: Int) -> [UInt32: String] {
        var names: [UInt32: String] = [:]
        setpwent()
        defer { endpwent() }
        while names.count < most, let user = unsafe getpwent() {
            unsafe names[user.pointee.pw_uid] = String(cString: user.pointee.pw_name)
        }
        return names
    }

    /// Groups that can be listed, by number: the local ones at least.
    ///
    /// - Parameter most: No more than so many.
    package static func listGroups(most: Int) -> [UInt32: String] {
        var names: [UInt32: String] = [:]
        setgrent()
        defer { endgrent() }
        while names.count < most, let group = unsafe getgrent() {
            unsafe names[group.pointee.gr_gid] = String(cString: group.pointee.gr_name)
        }
        return names
    }

    /// Some services say by an error that there is no such name (`getpwnam(3)`).
    private static func answer(_ code: CInt, _ number: UInt32?) -> Answer {
        switch code {
        case 0: number.map(Answer.number) ?? .unknown
        case ENOENT, ESRCH: .unknown
        default: .failed(code)
        }
    }
}
