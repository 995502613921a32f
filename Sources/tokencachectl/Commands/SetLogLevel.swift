import ArgumentParser
import SafeText
import TokenCacheClient

/// `log-level`: sets the level of the daemon's log.
struct SetLogLevel: RequestCommand {
    static let configuration = CommandConfiguration(
        commandName: "log-level",
        abstract: "Set the level of the daemon's log, until it is set again or for a time."
    )

    @OptionGroup var sockets: SocketOptions

    @Argument(help: "The level.")
    var level: LogLevel

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "The time after which the configured level is in force again, such as 10m.",
            valueName: "duration"
        )
    )
    var time: DurationArgument?

    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request {
        var request = TokenCacheClient.Request("log_level")
        request.level = level.rawValue
        request.duration = time?.duration
        return request
    }

    func text(of reply: Reply, _ display: Display) throws -> String {
        let reply = try reply.decode(LogLevelReply.self)
        return "the log's level is \(reply.level.printable)"
            + (reply.seconds.map { " for \($0.durationText)" } ?? "")
    }
}
