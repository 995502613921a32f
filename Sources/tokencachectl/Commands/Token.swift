import ArgumentParser
import TokenCacheClient

/// `token`: prints a user's token and nothing else, so that a script can use it.
struct Token: RequestCommand {
    static let configuration = CommandConfiguration(abstract: "Print a user's token.")
    static let socket = SocketKind.requests

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions

    @Option(help: "The lifetime that the token must still have, in seconds.")
    var minTTL: Double?

    @Option(help: "The longest time to wait, in seconds.")
    var timeout: Double?

    @Flag(help: "Get a new token, even if one is cached.")
    var noCache = false

    @Option(help: "The place in a distributed trace, as the header of that name has it.")
    var traceparent: String?

    @OptionGroup var output: OutputOptions

    var printsJSON: Bool { output.json }

    var request: TokenCacheClient.Request {
        var request = key.request("token")
        request.minTTL = minTTL.map(Duration.init(clampingSeconds:))
        if let timeout { request.timeout = Duration(clampingSeconds: timeout) }
        request.noCache = noCache
        request.traceparent = traceparent
        return request
    }

    func text(of reply: Reply) throws -> String { try reply.decode(TokenCacheClient.Token.self).accessToken }
}
