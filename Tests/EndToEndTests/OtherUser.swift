import Foundation
import TestSupport
import Testing

/// Somebody else on this machine: only root can be others, so tests that need this ask `isAvailable`.
struct OtherUser {
    /// Whether this process may become others.
    static var isAvailable: Bool { geteuid() == 0 }
    /// Why a test was skipped where it is not.
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
    /// A deployment whose request socket, and if wanted whose admin socket, every user of the machine can open.
    static func startOpen(
        _ settings: String,
        options: String = "",
        adminMode: String = "0600"
    ) async throws -> Deployment {
        let sockets = #"sockets: { requests: { path: /x, mode: "0666" }, admin: { path: /y, mode: "\#(adminMode)" } }"#
        let deployment = try await start(settings: sockets + "\n" + settings, options: options)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: deployment.folder.path)
        return deployment
    }
}
