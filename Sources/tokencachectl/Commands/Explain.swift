import ArgumentParser
import OperatorReplies
import TokenCacheClient

/// `explain`: prints what a user's or a client's next answer would be, and why.
struct Explain: KeyCommand {
    static let configuration = CommandConfiguration(abstract: "Explain where a user's next token would come from.")

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions
    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { key.request("explain") }

    func text(of reply: Reply, _ display: Display) throws -> String {
        ExplainView(try reply.decode(ExplainReply.self), display).text
    }
}
