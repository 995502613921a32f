import ArgumentParser
import TokenCacheClient

/// `evict`: drops a user's tokens.
struct Evict: KeyCommand {
    static let configuration = CommandConfiguration(
        abstract: "Drop a user's tokens, of all scopes unless --scope names them."
    )

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions
    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { key.request("evict") }

    func text(of reply: Reply, _ display: Display) -> String { "evicted" }
}
