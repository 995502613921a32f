import ArgumentParser

/// The options that say for whose tokens a request is, besides the users' names.
struct UserOptions: ParsableArguments {
    @Flag(help: "Name the users by the tenant's id.")
    var userID = false

    @Option(help: "The tenant's name in the daemon's configuration.")
    var tenant: String?

    @Option(help: "The token's scopes, separated by spaces.")
    var scope: String?
}
