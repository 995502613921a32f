import ArgumentParser
import TokenCacheClient

/// `token`: prints a user's token, or a client's, and nothing else, so that a script can use it.
struct Token: KeyCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a user's token, or a client's own.",
        discussion: """
            With --refused, the token that an API has rejected is read from standard input, up to the end of the line. It \
            is not an argument, as all users of the machine can see those.
            """
    )
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

    @Flag(help: "Report the token on standard input as rejected, and get another one.")
    var refused = false

    @Option(
        name: .customLong("refused-sha256"),
        help: ArgumentHelp(
            "The rejected token's SHA-256 as 64 hexadecimal digits, in place of --refused.",
            valueName: "digits"
        ),
        transform: PipedToken.digest
    )
    var refusedDigest: String?

    @Option(help: "The place in a distributed trace, as the header of that name has it.")
    var traceparent: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !refused || refusedDigest == nil else {
            throw ValidationError("'--refused' can't be combined with '--refused-sha256'.")
        }
    }

    /// The request, without the rejected token if that is read from standard input.
    var request: TokenCacheClient.Request {
        var request = key.request("token")
        request.minTTL = minTTL?.duration
        if let timeout { request.timeout = timeout.duration }
        request.noCache = noCache
        request.refusedTokenSHA256 = refusedDigest
        request.traceparent = traceparent
        return request
    }

    func perform(_ client: TokenCacheClient) async throws -> ExitCode {
        var request = request
        if refused {
            let token = try PipedToken.read(orUse: "--refused-sha256")
            request.refusedTokenSHA256 = TokenCacheClient.RefusedToken.accessToken(token).digest
        }
        let reply = Reply(try await client.tokenReply(to: request))
        try Terminal.write(text(for: reply, .standardOutput))
        return .success
    }

    func text(of reply: Reply, _ display: Display) throws -> String {
        try reply.decode(TokenCacheClient.Token.self).accessToken
    }
}
