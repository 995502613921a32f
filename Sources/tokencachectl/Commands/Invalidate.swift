import ArgumentParser
import Glibc
import TokenCacheClient

/// `invalidate`: reports a token that an API has rejected.
///
/// The token is never an argument, as every user of the machine sees the arguments of all programs.
struct Invalidate: RequestCommand {
    /// The longest token in bytes: that of a request's line, beyond which it can't be sent.
    private static let longestToken = 65_536

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
        help: ArgumentHelp("The token's SHA-256 as 64 hexadecimal digits, in place of the token.", valueName: "digits")
    )
    var digest: String?

    @OptionGroup var output: OutputOptions

    var explanation: String? { key.explanation }

    /// The request, without the token if that is read from standard input.
    var request: TokenCacheClient.Request {
        var request = key.request("invalidate")
        request.tokenSHA256 = digest
        return request
    }

    func validate() throws {
        guard let digest else { return }
        guard digest.utf8.count == 64, digest.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw ValidationError("--sha256 needs the 64 hexadecimal digits of the token's SHA-256.")
        }
    }

    func perform(_ client: TokenCacheClient) async throws -> ExitCode {
        var request = request
        if digest == nil { request.accessToken = try Self.readToken() }
        let reply = Reply(try await client.call(request))
        try Terminal.write(text(for: reply, .standardOutput))
        return .success
    }

    private static func readToken() throws -> String {
        guard isatty(STDIN_FILENO) == 0 else {
            throw ValidationError("Pipe the token to standard input, or name it by --sha256.")
        }
        var input = StandardInput(longestLine: longestToken)
        guard let token = try input.next(), !token.isEmpty else {
            throw ValidationError("There is no token on standard input.")
        }
        return token
    }

    func text(of reply: Reply, _ display: Display) throws -> String {
        let invalidation = try reply.decode(TokenCacheClient.Invalidation.self)
        guard !invalidation.invalidated else { return "invalidated" }
        guard let delay = invalidation.retryAfter else { return "not invalidated: this token is not the cached one" }
        return "not invalidated: this token has just replaced a reported one; "
            + "if it is rejected as well, report it again in \(delay.inSeconds.durationText)"
    }
}
