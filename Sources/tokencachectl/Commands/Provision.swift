import ArgumentParser
import SafeText
import TokenCacheClient

/// `provision`: creates a user in the tenant if there is none, and brings the user's groups up to date.
struct Provision: RequestCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make sure that a user exists in the tenant and is in the right groups.",
        discussion: """
            A user who doesn't exist is created, with --name and --email. Of the groups that the daemon's configuration \
            manages, the user is added to those that --group names, and removed from the others. Without --group and \
            --no-groups, no group is changed.
            """
    )
    static let socket = SocketKind.requests

    @OptionGroup var sockets: SocketOptions

    @Argument(help: "The user's subject.")
    var subject: String

    @Option(help: "The name of a user who is created.")
    var name: String?

    @Option(help: ArgumentHelp("The e-mail address of a user who is created.", valueName: "address"))
    var email: String?

    @Option(
        name: .customLong("group"),
        help: ArgumentHelp("A group of the user. It may be repeated.", valueName: "name")
    )
    var groups: [String] = []

    @Flag(help: "Remove the user from all groups that the daemon's configuration manages.")
    var noGroups = false

    @Option(help: "The tenant's name in the daemon's configuration.")
    var tenant: String?

    @Option(help: ArgumentHelp("The longest time to wait, such as 3 or 1.5s.", valueName: "duration"))
    var timeout: DurationArgument?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard groups.isEmpty || !noGroups else {
            throw ValidationError("'--no-groups' can't be combined with '--group'.")
        }
    }

    var request: TokenCacheClient.Request {
        var request = TokenCacheClient.Request("provision", user: .subject(subject), tenant: tenant)
        request.name = name
        request.email = email
        request.groups = groups.isEmpty && !noGroups ? nil : groups
        if let timeout { request.timeout = timeout.duration }
        return request
    }

    func text(of reply: Reply, _ display: Display) throws -> String {
        let user = try reply.decode(TokenCacheClient.ProvisionedUser.self)
        let id = user.userID.printable
        let status = user.status.rawValue.printable
        let existence = user.created ? "created user \(id), \(status)" : "user \(id) exists, \(status)"
        let groups = user.groupsChanged ? "; groups changed" : ""
        return existence + groups + (user.source == .cache ? "; the daemon remembered it" : "")
    }

    func advice(on error: TokenCacheError) -> String? {
        switch error.code {
        case .denied where error.upstream?.status == nil:
            "the daemon never revives a user; an administrator of the tenant can do it"
        case .denied: "check in the tenant the client that `provision.client` names, and its scopes"
        case .forbidden:
            "the access rule must name the operation `provision` and the subject, and the tenant must have `provision` with "
                + "the group in `provision.groups`; see the configuration"
        default: nil
        }
    }
}
