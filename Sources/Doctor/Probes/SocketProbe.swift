import Glibc
import SocketServer
import SystemPackage

/// Looks at one of the daemon's sockets.
enum SocketProbe {
    /// The state of a socket, and the process that listens there.
    struct Result: Sendable {
        var facts: SocketFacts
        var listener: SocketListener?
    }

    static func look(at path: String, _ kind: SocketFacts.Kind, hasUnits: Bool) -> Result {
        var attempt = SocketFacts.Attempt.connected
        var listener: SocketListener?
        do { listener = try SocketListener.at(path) } catch { attempt = Self.attempt(error) }
        var facts = SocketFacts(
            kind: kind,
            path: path,
            file: nil,
            attempt: attempt,
            user: name(ofUser: geteuid()),
            hasUnits: hasUnits
        )
        if let status = unsafe try? Stat(path) {
            facts.isSocket = status.type == .socket
            facts.file = file(status)
        }
        return Result(facts: facts, listener: listener)
    }

    private static func attempt(_ fault: UnixConnection.Fault) -> SocketFacts.Attempt {
        switch fault.code {
        case ECONNREFUSED: .refused
        case EACCES, EPERM: .denied
        case EAGAIN: .full
        default: .failed("\(Errno(rawValue: fault.code))")
        }
    }

    private static func file(_ status: Stat) -> SocketFacts.File {
        SocketFacts.File(
            mode: UInt32(status.permissions.rawValue),
            owner: name(ofUser: status.userID.rawValue),
            group: Accounts.name(ofGroup: status.groupID.rawValue) ?? "\(status.groupID.rawValue)",
            members: Accounts.members(ofGroup: status.groupID.rawValue)
        )
    }

    /// The name of a user, or the number if it has none.
    static func name(ofUser number: UInt32) -> String { Accounts.name(ofUser: number) ?? "user \(number)" }
}
