import ArgumentParser
import OperatorReplies
import TokenCacheClient

/// `fleet status`: prints the daemon's connection to the engine, and what came of it.
struct FleetStatus: RequestCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the connection to the fleet's engine, and what it saved. The exit status is 1 if it is away.",
        discussion: "The JSON is the whole reply to stats, whose member fleet is shown."
    )

    static let name = "fleet status"

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { TokenCacheClient.Request("stats") }

    func text(of reply: Reply, _ display: Display) throws -> String {
        guard let fleet = try reply.decode(StatsReply.self).fleet else { return FleetView.absent }
        return FleetView(fleet, display).text
    }

    func exitCode(after reply: Reply) throws -> ExitCode {
        try reply.decode(StatsReply.self).fleet?.isConnected == true ? .success : .failure
    }
}
