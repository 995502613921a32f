import ArgumentParser
import OperatorReplies
import TokenCacheClient

/// `health`: prints the daemon's health, and tells a probe by the exit status.
struct Health: RequestCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the daemon's health. The exit status is 1 if it is failing.",
        discussion: "The exit status is 0 if it is ok or degraded: a degraded daemon serves the tokens that it has."
    )

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { TokenCacheClient.Request("health") }

    func text(of reply: Reply, _ display: Display) throws -> String {
        HealthView(try reply.decode(HealthReply.self), display).text
    }

    func exitCode(after reply: Reply) throws -> ExitCode {
        try reply.decode(HealthReply.self).status == .failing ? .failure : .success
    }
}
