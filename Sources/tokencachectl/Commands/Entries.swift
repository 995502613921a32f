import ArgumentParser
import TokenCacheClient

/// `entries`: prints the cache's content without the tokens themselves.
struct Entries: RequestCommand {
    /// The number of entries in a page if all pages are listed: as many as the daemon allows.
    private static let largestPage = 1_000

    static let configuration = CommandConfiguration(
        abstract: "List the cached tokens, without the tokens themselves.",
        discussion: "With --all and --json, each page of entries is a line of JSON."
    )

    @OptionGroup var sockets: SocketOptions

    @Option(help: "List this tenant's tokens only.")
    var tenant: String?

    @Option(help: "The largest number of entries to list, up to 1000. With --all, that of a page.")
    var limit: Int?

    @Option(help: "Continue after the cursor that the previous page ended with.")
    var after: String?

    @Flag(help: "List all entries, page by page.")
    var all = false

    @Option(help: "List the tokens in another order: next-refresh, the soonest first, up to 100.")
    var order: EntriesOrder?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard order != nil, all || after != nil || tenant != nil else { return }
        throw ValidationError("'--order' can't be combined with '--all', '--after' or '--tenant'.")
    }

    var request: TokenCacheClient.Request {
        var request = TokenCacheClient.Request("entries", tenant: tenant)
        request.limit = limit ?? (all ? Self.largestPage : nil)
        request.after = after
        request.order = order?.wireName
        return request
    }

    func text(of reply: Reply, _ display: Display) throws -> String {
        EntriesView.text(of: try reply.decode(EntriesPage.self), display)
    }

    func perform(_ client: TokenCacheClient) async throws -> ExitCode {
        all ? try await performPages(client) : try await performOnce(client)
    }

    /// Prints each page before the next one is asked for, so that a large cache takes no memory here.
    private func performPages(_ client: TokenCacheClient) async throws -> ExitCode {
        var request = request
        var view = EntriesView(.standardOutput)
        while true {
            let reply = Reply(try await client.call(request))
            let page = try reply.decode(EntriesPage.self)
            let text = output.json ? reply.json : view.text(of: page)
            if !text.isEmpty { try Terminal.write(text) }
            guard let next = page.next else { return .success }
            guard next != request.after else {
                throw TokenCacheError(.badReply, "the daemon's page leads to itself", requestState: .answered)
            }
            request.after = next
        }
    }
}
