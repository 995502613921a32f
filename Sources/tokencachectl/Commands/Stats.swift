import ArgumentParser
import OperatorReplies
import TokenCacheClient

/// `stats`: prints the daemon's counters and its present state.
struct Stats: RequestCommand {
    static let configuration = CommandConfiguration(abstract: "Show counters, gauges and latencies.")

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var output: OutputOptions

    var printsJSON: Bool { output.json }
    var request: TokenCacheClient.Request { TokenCacheClient.Request("stats") }

    func text(of reply: Reply) throws -> String { StatsView(try reply.decode(StatsReply.self)).text }
}
