import ArgumentParser
import TokenCacheClient

/// `token`: prints a user's token and nothing else, so that a script can use it.
struct Token: RequestCommand {
    static let configuration = CommandConfiguration(abstract: "Print a user's token.")
    static let socket = SocketKind.requests

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions

    @Option(
        help: ArgumentHelp("The lifetime that the token must still have, such as 300 or 5m.", valueName: "duration")
    )
    var minTTL: DurationArgument?

    @Option(help: ArgumentHelp("The longest time to wait, such as 3 or 1.5s.", valueName: "duration"))
    var timeout: DurationArgument?

    @Flag(help: "Get a new token, even if one is cached.")
    var noCache = false

    @OptionGroup var output: OutputOptions

    var explanation: String? { key.explanation }

    var request: TokenCacheClient.Request {
        var request = key.request("token")
        request.minTTL = minTTL?.duration
        if let timeout { request.timeout = timeout.duration }
        request.noCache = noCache
        return request
    }

    func text(of reply: Reply, _ display: Display) throws -> String {
        try reply.decode(TokenCacheClient.Token.self).accessToken
    }
}
