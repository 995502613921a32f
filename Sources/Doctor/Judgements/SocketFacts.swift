/// The state of one of the daemon's sockets.
package struct SocketFacts: Sendable, Equatable {
    /// The purpose of a socket.
    package enum Kind: String, Sendable {
        case requests
        case admin

        var unit: String { self == .requests ? "tokencached.socket" : "tokencached-admin.socket" }
    }

    /// The owner and the rights of the socket's file.
    package struct File: Sendable, Equatable {
        package var mode: UInt32
        /// The owner's name or number.
        package var owner: String
        /// The group's name or number.
        package var group: String
        /// The names of the group's members, without those whose own group it is.
        package var members: [String]

        package init(mode: UInt32, owner: String, group: String, members: [String] = []) {
            self.mode = mode
            self.owner = owner
            self.group = group
            self.members = members
        }
    }

    /// The result of an attempt to connect.
    package enum Attempt: Sendable, Equatable {
        case connected
        /// Nobody listens there.
        case refused
        /// This user may not use it.
        case denied
        /// The listener's queue is full.
        case full
        /// Another error, as a sentence.
        case failed(String)
    }

    package var kind: Kind
    package var path: String
    /// The file at the path, or nil if there is none.
    package var file: File?
    /// True if the file is a socket.
    package var isSocket = true
    package var attempt: Attempt
    /// The name of the user that runs the doctor.
    package var user: String
    /// True if systemd has the units of this installation.
    package var hasUnits: Bool

    /// Creates facts.
    package init(
        kind: Kind,
        path: String,
        file: File?,
        attempt: Attempt,
        user: String,
        hasUnits: Bool = false
    ) {
        self.kind = kind
        self.path = path
        self.file = file
        self.attempt = attempt
        self.user = user
        self.hasUnits = hasUnits
    }
}

extension SocketFacts {
    /// The number of group members that a finding names.
    private static let namedMembers = 10
    private static let (groupMayWrite, othersMayWrite) = (0o020 as UInt32, 0o002 as UInt32)

    /// True if the daemon can be asked by this socket.
    package var isUsable: Bool { attempt == .connected }

    /// The judgement.
    package var finding: Finding {
        guard let file else { return judgeAttempt("\(path)") }
        guard isSocket else {
            return .failed(.socket, kind.rawValue, "\(path) is not a socket", "remove it, and \(start)")
        }
        return judgeAttempt("\(path) (\(Self.text(file)))", file)
    }

    private func judgeAttempt(_ name: String, _ file: File? = nil) -> Finding {
        switch attempt {
        case .connected: return judgeRights(name, file)
        case .refused where file == nil, .failed where file == nil:
            return .failed(.socket, kind.rawValue, "\(path) doesn't exist", start)
        case .refused:
            let found = "nobody listens at \(name): a daemon that has ended left it"
            return .failed(.socket, kind.rawValue, found, "\(start); it replaces the socket")
        case .denied: return judgeDenial(name, file)
        case .full:
            let found = "\(name) takes no more connections: the daemon doesn't accept those that wait"
            let advice = "systemctl status tokencached; journalctl -u tokencached -n 50"
            return .failed(.socket, kind.rawValue, found, advice)
        case .failed(let reason):
            return .failed(.socket, kind.rawValue, "connecting to \(name) failed: \(reason)", start)
        }
    }

    private func judgeRights(_ name: String, _ file: File?) -> Finding {
        guard let file else { return .ok(.socket, kind.rawValue, "user \(user) can connect to \(name)") }
        if kind == .admin, file.mode & Self.othersMayWrite != 0 {
            return .warning(
                .socket,
                kind.rawValue,
                "every user of this machine can connect to \(name)",
                "set sockets.admin.mode: \"0600\"; the daemon serves only the users of admin.users there"
            )
        }
        return .ok(.socket, kind.rawValue, "user \(user) can connect to \(name); it is open to \(Self.audience(file))")
    }

    private func judgeDenial(_ name: String, _ file: File?) -> Finding {
        let found = "user \(user) may not connect to \(name)"
        guard kind == .requests else {
            return .skipped(.socket, kind.rawValue, found, "run the doctor as root, or as a user of admin.users")
        }
        let isForGroup = file.map { $0.mode & Self.groupMayWrite != 0 && $0.group != "root" } ?? false
        let group = isForGroup ? file?.group : nil
        return .failed(
            .socket,
            kind.rawValue,
            found,
            group.map { "usermod --append --groups \($0) \(user), then start its session or application again" }
                ?? "run the doctor as root, or give the socket a group of its users by sockets.requests.group"
        )
    }

    private var start: String {
        hasUnits ? "systemctl restart \(kind.unit)" : "start the daemon, or name the socket with \(option)"
    }

    private var option: String { kind == .requests ? "--socket" : "--admin-socket" }

    private static func text(_ file: File) -> String {
        "mode \(String(file.mode, radix: 8)), owner \(file.owner), group \(file.group)"
    }

    /// The users who can connect, root aside.
    private static func audience(_ file: File) -> String {
        if file.mode & othersMayWrite != 0 { return "every user of this machine" }
        var names = file.owner == "root" ? ["root"] : ["root", file.owner]
        let isForGroup = file.mode & groupMayWrite != 0 && (file.group != "root" || !file.members.isEmpty)
        guard isForGroup else { return names.joined(separator: " and ") }
        names.append("the group \(file.group)")
        let members = file.members.prefix(namedMembers).joined(separator: ", ")
        let others = file.members.count - namedMembers
        let rest = others > 0 ? " and \(others) more" : ""
        return names.joined(separator: ", ") + (file.members.isEmpty ? " (no members)" : " (\(members)\(rest))")
    }
}
