import ArgumentParser
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
        TokenCacheClient.Request(
            operation,
            user: userID ? .userID(subject) : .subject(subject),
            tenant: tenant,
            scope: scope
        )
    }
}
