import Foundation
import TestSupport
import Testing

/// Another user of this machine.
///
/// Only root can act as others, so tests that need this check `isAvailable`.
struct OtherUser {
    /// True if this process may act as other users.
    static var isAvailable: Bool { geteuid() == 0 }
    /// The reason for which a test is skipped otherwise.
    static let reason: Comment = "connecting as other users needs root"

    var uid: Int
    var gid: Int
    var groups: [Int] = []

    /// Sends lines on one connection and returns the replies.
    func ask(_ path: String, _ lines: String...) throws -> [[String: Any]] {
        let groups = groups.isEmpty ? "--clear-groups" : "--groups=\(groups.map(String.init).joined(separator: ","))"
        let command = #"printf '%s\n' "$LINES_TO_SEND" | setpriv "$@" socat -t 30 - "UNIX-CONNECT:$SOCKET_TO_ASK""#
        let (status, output) = try Program.run(
            "/bin/sh",
            ["-c", command, "sh", "--reuid=\(uid)", "--regid=\(gid)", groups],
            environment: ["LINES_TO_SEND": lines.joined(separator: "\n"), "SOCKET_TO_ASK": path]
        )
        try #require(status == 0, "\(output)")
        return try output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }
}

extension Deployment {
    /// Starts a deployment whose request socket every user of the machine can open.
    ///
    /// The admin socket has the given mode.
    static func startOpen(
        _ settings: String,
        options: String = "",
        adminMode: String = "0600"
    ) async throws -> Deployment {
        let sockets = #"sockets: { requests: { path: /x, mode: "0666" }, admin: { path: /y, mode: "\#(adminMode)" } }"#
        let deployment = try await start(settings: sockets + "\n" + settings, options: options)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: deployment.directory.path)
        return deployment
    }
}
