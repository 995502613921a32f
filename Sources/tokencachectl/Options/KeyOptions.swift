import ArgumentParser
import SafeText
import TokenCacheClient

/// The arguments and options that name a user's token.
struct KeyOptions: ParsableArguments {
    @Argument(help: "The user's subject or, with --user-id, the tenant's id of the user.")
    var subject: String

    @Flag(help: "Name the user by the tenant's id.")
    var userID = false

    @Option(help: "The tenant's name in the daemon's configuration.")
    var tenant: String?

    @Option(help: "The token's scopes, separated by spaces.")
    var scope: String?

    /// Creates a request for the token.
    func request(_ operation: String) -> TokenCacheClient.Request {
        TokenCacheClient.Request(operation, user: user, tenant: tenant, scope: scope)
    }

    var user: TokenCacheClient.User { userID ? .userID(subject) : .subject(subject) }

    /// The command that explains the next answer for the token.
    var explanation: String {
        var words = ["tokencachectl", "explain", subject]
        if userID { words.append("--user-id") }
        if let tenant { words += ["--tenant", tenant] }
        if let scope { words += ["--scope", scope] }
        return words.map(\.quotedForShell).joined(separator: " ")
    }
}
