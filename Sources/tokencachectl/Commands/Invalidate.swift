import ArgumentParser
import TokenCacheClient

/// `invalidate`: reports a token that an API has rejected.
struct Invalidate: KeyCommand {
    static let configuration = CommandConfiguration(
        abstract: "Report a token that an API has rejected, so that the next request gets another one.",
        discussion: """
            The token is read from standard input, up to the end of the line. It is not an argument, as all users of the \
            machine can see those. The daemon drops the token only if it is the cached one.
            """
    )
    static let socket = SocketKind.requests

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions

    @Option(
        name: .customLong("sha256"),
        help: ArgumentHelp("The token's SHA-256 as 64 hexadecimal digits, in place of the token.", valueName: "digits"),
        transform: PipedToken.digest
    )
    var digest: String?

    @OptionGroup var output: OutputOptions

    /// The request, without the token if that is read from standard input.
    var request: TokenCacheClient.Request {
        var request = key.request("invalidate")
        request.tokenSHA256 = digest
        return request
    }

    func perform(_ client: TokenCacheClient) async throws -> ExitCode {
        var request = request
        if digest == nil { request.accessToken = try PipedToken.read(orUse: "--sha256") }
        let reply = Reply(try await client.call(request))
        try Terminal.write(text(for: reply, .standardOutput))
        return .success
    }

    func text(of reply: Reply, _ display: Display) throws -> String {
        let invalidation = try reply.decode(TokenCacheClient.Invalidation.self)
        guard !invalidation.invalidated else { return "invalidated" }
        guard let delay = invalidation.retryAfter else { return "not invalidated: this token is not the cached one" }
        return "not invalidated: this token has just replaced a reported one; "
            + "if it is rejected as well, report it again in \(delay.inSeconds.durationText)"
    }
}
