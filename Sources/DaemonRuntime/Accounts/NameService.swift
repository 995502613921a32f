import SocketServer

/// Looks up users and groups.
///
/// Each call may block for as long as a name server takes.
package protocol NameService: Sendable {
    /// The number of a user, or nil if the name is unknown.
    func user(_ name: String) -> UInt32?
    /// The number of a group, or nil if the name is unknown.
    func group(_ name: String) -> UInt32?
    /// The name of a user, or nil if it has none that is known now.
    func name(ofUser number: UInt32) -> String?
    /// The name of a group, or nil if it has none that is known now.
    func name(ofGroup number: UInt32) -> String?
    /// The users that can be listed, up to a number of them.
    func listUsers(limit: Int) -> [UInt32: String]
    /// The groups that can be listed, up to a number of them.
    func listGroups(limit: Int) -> [UInt32: String]
}

/// The name service of this machine.
package struct MachineNameService: NameService {
    /// Creates access to the name service.
    package init() {}

    package func user(_ name: String) -> UInt32? { Accounts.user(name).number }

    package func group(_ name: String) -> UInt32? { Accounts.group(name).number }

    package func name(ofUser number: UInt32) -> String? { Accounts.name(ofUser: number) }

    package func name(ofGroup number: UInt32) -> String? { Accounts.name(ofGroup: number) }

    package func listUsers(limit: Int) -> [UInt32: String] { Accounts.listUsers(limit: limit) }

    package func listGroups(limit: Int) -> [UInt32: String] { Accounts.listGroups(limit: limit) }
}
