import ArgumentParser
import OperatorReplies
import TokenCacheClient

/// `stats`: prints the daemon's counters and its present state.
struct Stats: RequestCommand {
    /// The allowed intervals of looks, in seconds.
    private static let intervals = 0.1...3_600

    static let configuration = CommandConfiguration(
        abstract: "Show counters, gauges and latencies.",
        discussion: "With --watch and --json, each look is a line of JSON."
    )

    @OptionGroup var sockets: SocketOptions

    @Option(
        defaultAsFlag: DurationArgument(seconds: 2),
        help: ArgumentHelp(
            "Look again every 2 seconds, or after another time, and show the rates between two looks.",
            valueName: "duration"
        )
    )
    var watch: DurationArgument?

    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { TokenCacheClient.Request("stats") }

    func validate() throws {
        guard let watch, !Self.intervals.contains(watch.duration.inSeconds) else { return }
        throw ValidationError("--watch takes from 0.1 to 3600 seconds.")
    }

    func text(of reply: Reply, _ display: Display) throws -> String {
        StatsView(try reply.decode(StatsReply.self), display).text
    }

    func perform(_ client: TokenCacheClient) async throws -> ExitCode {
        guard let watch else { return try await performOnce(client) }
        try await StatsWatch(client: client, interval: watch.duration, printsJSON: output.json).run()
        return .success
    }
}
