import Glibc

/// Asks the machine's name service.
///
/// The name service may ask a server, which can take long, so don't call this on an event loop.
package enum Accounts {
    /// The name service's answer for a name.
    package enum Answer: Sendable, Equatable {
        /// The number of the user or group.
        case number(UInt32)
        /// No user or group has the name.
        case unknown
        /// The name service could not answer, with the error's number.
        case failed(CInt)

        /// The number, if there is one.
        package var number: UInt32? {
            guard case .number(let number) = self else { return nil }
            return number
        }
    }

    /// The size of the buffer for an entry of the account files, in bytes.
    ///
    /// A group whose entry is longer has to be configured by number.
    private static let bufferSize = 65_536

    /// The number that a text of digits means, or nil if the text is a name.
    package static func number(_ text: String) -> UInt32? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt32(text) : nil
    }

    /// The number of a user who is given by name or number.
    package static func user(_ name: String) -> Answer {
        if let number = number(name) { return .number(number) }
        var user = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        let code = unsafe getpwnam_r(name, &user, &buffer, buffer.count, &found)
        return unsafe answer(code, found == nil ? nil : user.pw_uid)
    }

    /// The number of a group that is given by name or number.
    package static func group(_ name: String) -> Answer {
        if let number = number(name) { return .number(number) }
        var group = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        let code = unsafe getgrnam_r(name, &group, &buffer, buffer.count, &found)
        return unsafe answer(code, found == nil ? nil : group.gr_gid)
    }

    /// The name of a user, or nil if no name is known now.
    package static func name(ofUser number: UInt32) -> String? {
        var user = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        guard unsafe getpwuid_r(number, &user, &buffer, buffer.count, &found) == 0, unsafe found != nil else {
            return nil
        }
        return unsafe String(cString: user.pw_name)
    }

    /// The name of a group, or nil if no name is known now.
    package static func name(ofGroup number: UInt32) -> String? {
        var group = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        guard unsafe getgrgid_r(number, &group, &buffer, buffer.count, &found) == 0, unsafe found != nil else {
            return nil
        }
        return unsafe String(cString: group.gr_name)
    }

    /// The names of the members that a group's entry lists.
    package static func members(ofGroup number: UInt32) -> [String] {
        var group = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        guard unsafe getgrgid_r(number, &group, &buffer, buffer.count, &found) == 0, unsafe found != nil else {
            return []
        }
        var members: [String] = []
        var next = unsafe group.gr_mem
        while let name = unsafe next?.pointee {
            unsafe members.append(String(cString: name))
            unsafe next = next?.successor()
        }
        return members
    }

    /// The names of users that can be listed, by number: at least the local ones, up to a limit.
    package static func listUsers(limit: Int) -> [UInt32: String] {
        var names: [UInt32: String] = [:]
        setpwent()
        defer { endpwent() }
        while names.count < limit, let user = unsafe getpwent() {
            unsafe names[user.pointee.pw_uid] = String(cString: user.pointee.pw_name)
        }
        return names
    }

    /// The names of groups that can be listed, by number: at least the local ones, up to a limit.
    package static func listGroups(limit: Int) -> [UInt32: String] {
        var names: [UInt32: String] = [:]
        setgrent()
        defer { endgrent() }
        while names.count < limit, let group = unsafe getgrent() {
            unsafe names[group.pointee.gr_gid] = String(cString: group.pointee.gr_name)
        }
        return names
    }

    /// Turns a result of `getpwnam_r` or `getgrnam_r` into an answer.
    ///
    /// Some name services report an error if there is no such name (`getpwnam(3)`).
    private static func answer(_ code: CInt, _ number: UInt32?) -> Answer {
        switch code {
        case 0: number.map(Answer.number) ?? .unknown
        case ENOENT, ESRCH: .unknown
        default: .failed(code)
        }
    }
}
