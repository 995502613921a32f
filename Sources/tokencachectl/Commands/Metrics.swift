import ArgumentParser
import SafeText
import TokenCacheClient

/// `metrics`: prints the daemon's metrics as Prometheus reads them, on a terminal without what could control it.
struct Metrics: RequestCommand {
    static let configuration = CommandConfiguration(abstract: "Print the metrics in Prometheus's text format.")

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { TokenCacheClient.Request("metrics") }

    func text(of reply: Reply, _ display: Display) throws -> String {
        let body = try reply.decode(MetricsReply.self).body
        // The last line's end is written with the text.
        let text = body.utf8.last == UInt8(ascii: "\n") ? String(decoding: body.utf8.dropLast(), as: UTF8.self) : body
        return display.isTerminal ? text.printableLines : text
    }
}

extension String {
    /// The text with a question mark in place of each unsafe character, except for the ends of lines.
    fileprivate var printableLines: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable }.joined(separator: "\n")
    }
}
