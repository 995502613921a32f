import ArgumentParser
import TokenCacheClient

/// `prefetch`: has tokens minted before anyone asks for them.
struct Prefetch: DaemonCommand {
    /// The number of users of one request, as many as the daemon allows.
    private static let batch = 1_000
    /// The longest name of a user in bytes that the daemon allows.
    private static let longestUser = 1_024

    static let configuration = CommandConfiguration(
        abstract: "Have users' tokens minted before anyone asks for them.",
        discussion: """
            The daemon mints at the tenant's configured rate, after the command has ended. Users are refused whom the \
            tenant denied recently, and those for whom there is no room in the queue: try these again later.
            """
    )
    static let socket = SocketKind.requests

    @OptionGroup var sockets: SocketOptions

    @Argument(
        help: "The users' subjects or, with --user-id, the tenant's ids; - for those on standard input, one a line."
    )
    var users: [String] = []

    @Option(
        name: .customLong("client"),
        help: ArgumentHelp(
            "An OAuth client of the tenant in the daemon's configuration, in place of users. It may be repeated.",
            valueName: "name"
        )
    )
    var clients: [String] = []

    @OptionGroup var options: UserOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard users.isEmpty != clients.isEmpty else {
            throw ValidationError("Name either users, or - for standard input, or clients with --client.")
        }
        guard clients.isEmpty || !options.userID else {
            throw ValidationError("'--user-id' can't be combined with '--client'.")
        }
        guard users.count == 1 || !users.contains("-") else {
            throw ValidationError("- stands for all users, so it can't be among others.")
        }
    }

    func advice(on error: TokenCacheError) -> String? {
        !clients.isEmpty && error.code == .forbidden ? KeyOptions.adviceOnForbiddenClient : nil
    }

    func perform(_ client: TokenCacheClient) async throws -> ExitCode {
        let total =
            users == ["-"] ? try await prefetchLines(client) : try await prefetch(users + clients, client)
        try Terminal.write(output.json ? Self.json(of: total) : Self.text(of: total))
        return .success
    }

    /// Sends the users of standard input in batches, so that a long list takes no memory here.
    private func prefetchLines(_ client: TokenCacheClient) async throws -> TokenCacheClient.Prefetch {
        var input = StandardInput(longestLine: Self.longestUser)
        var total = TokenCacheClient.Prefetch(queued: 0, cached: 0, refused: 0)
        do {
            while let batch = try Self.batch(from: &input) {
                guard let sum = total.adding(try await prefetch(batch, client)) else {
                    throw TokenCacheError(.badReply, "the daemon's counts are too large", requestState: .answered)
                }
                total = sum
            }
        } catch {
            // Users that were accepted stay accepted.
            if total.queued > 0 || total.cached > 0 { Terminal.complain("before the error: \(Self.text(of: total))") }
            throw error
        }
        return total
    }

    /// Reads as many users as fit into a request, or nil if there are no more.
    private static func batch(from input: inout StandardInput) throws(TokenCacheError) -> [String]? {
        var users: [String] = []
        while users.count < batch, let user = try input.next() {
            if !user.isEmpty { users.append(user) }
        }
        return users.isEmpty ? nil : users
    }

    /// Sends names, which are those of users or of clients.
    private func prefetch(_ names: [String], _ client: TokenCacheClient) async throws -> TokenCacheClient.Prefetch {
        let (tenant, scope) = (options.tenant, options.scope)
        guard clients.isEmpty else { return try await client.prefetch(clients: names, tenant: tenant, scope: scope) }
        return options.userID
            ? try await client.prefetch(userIDs: names, tenant: tenant, scope: scope)
            : try await client.prefetch(subjects: names, tenant: tenant, scope: scope)
    }

    /// Lays the counts out for people.
    package static func text(of counts: TokenCacheClient.Prefetch) -> String {
        let refused = counts.refused > 0 ? ", \(counts.refused) refused" : ""
        return "\(counts.queued) queued, \(counts.cached) cached already\(refused)"
    }

    /// Returns the counts as the daemon's reply has them, added up over all requests.
    package static func json(of counts: TokenCacheClient.Prefetch) -> String {
        let refused = counts.refused > 0 ? ",\"refused\":\(counts.refused)" : ""
        return "{\"queued\":\(counts.queued),\"cached\":\(counts.cached)\(refused)}"
    }
}
