import ArgumentParser
import TokenCacheClient

/// `reload`: makes the daemon read its configuration again.
struct Reload: RequestCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reload the daemon's configuration. If it has faults, list them and keep the old one."
    )

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { TokenCacheClient.Request("reload") }

    func text(of reply: Reply, _ display: Display) -> String { "reloaded" }
}
