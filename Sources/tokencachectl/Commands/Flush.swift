import ArgumentParser
import TokenCacheClient

/// `flush`: drops all tokens.
struct Flush: RequestCommand {
    static let configuration = CommandConfiguration(abstract: "Drop all tokens, or all tokens of one tenant.")

    @OptionGroup var sockets: SocketOptions

    @Option(help: "Drop this tenant's tokens only.")
    var tenant: String?

    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { TokenCacheClient.Request("flush", tenant: tenant) }

    func text(of reply: Reply, _ display: Display) throws -> String {
        let count = try reply.decode(FlushReply.self).flushed
        return "\(count) \(count == 1 ? "token" : "tokens") dropped"
    }
}
