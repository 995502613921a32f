import ArgumentParser
import SafeText
import TokenCacheClient

/// The arguments and options that name a user's token, or a client's.
struct KeyOptions: ParsableArguments {
    /// The advice on a client's token that the access rules forbid.
    static let adviceOnForbiddenClient =
        "`clients` in the access rule names the clients whose tokens a user may have; see `access` in the configuration"

    @Argument(help: "The user's subject or, with --user-id, the tenant's id of the user.")
    var subject: String?

    @Flag(help: "Name the user by the tenant's id.")
    var userID = false

    @Option(
        help: ArgumentHelp(
            "An OAuth client of the tenant in the daemon's configuration, in place of a user.",
            valueName: "name"
        )
    )
    var client: String?

    @Option(help: "The tenant's name in the daemon's configuration.")
    var tenant: String?

    @Option(help: "The token's scopes, separated by spaces.")
    var scope: String?

    func validate() throws {
        guard (subject == nil) != (client == nil) else {
            throw ValidationError("Name either a user, or a client with --client.")
        }
        guard client == nil || !userID else { throw ValidationError("'--user-id' can't be combined with '--client'.") }
    }

    /// Creates a request for the token.
    func request(_ operation: String) -> TokenCacheClient.Request {
        TokenCacheClient.Request(operation, user: user, tenant: tenant, scope: scope)
    }

    private var user: TokenCacheClient.User {
        if let client { return .client(client) }
        let name = subject ?? ""
        return userID ? .userID(name) : .subject(name)
    }

    /// The command that explains the next answer for the token.
    var explanation: String {
        var words = ["tokencachectl", "explain"]
        if let subject { words.append(subject) }
        if userID { words.append("--user-id") }
        if let client { words += ["--client", client] }
        if let tenant { words += ["--tenant", tenant] }
        if let scope { words += ["--scope", scope] }
        return words.map(\.quotedForShell).joined(separator: " ")
    }

    /// The advice on an error about a client's token, or nil if that about users' tokens fits.
    func advice(on error: TokenCacheError, by socket: SocketKind) -> String? {
        switch error.code {
        case .denied where client != nil:
            "check the client and its scopes in the tenant; `\(explanation)` shows how long the denial is remembered"
        case .forbidden where client != nil && socket == .requests: Self.adviceOnForbiddenClient
        default: nil
        }
    }
}
