import ArgumentParser
import OperatorReplies
import TokenCacheClient

/// `fleet rotate-check`: prints which machines have which key, and which step of a key's rotation is safe.
struct FleetRotateCheck: RequestCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-check",
        abstract: "Show which keys the machines have, and which step of changing the fleet's key is safe now.",
        discussion: """
            The exit status is 0 if all machines have all keys, so that any of them can be put first, and 1 if they have to \
            get the same keys before.
            """
    )

    static let name = "fleet rotate-check"

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { TokenCacheClient.Request("stats") }

    func text(of reply: Reply, _ display: Display) throws -> String {
        guard let fleet = try reply.decode(StatsReply.self).fleet else { return FleetView.absent }
        return KeyRotationView(fleet, display).text
    }

    func exitCode(after reply: Reply) throws -> ExitCode {
        guard let fleet = try reply.decode(StatsReply.self).fleet else { return .failure }
        return KeyRotation(fleet).isSafe ? .success : .failure
    }
}
