import ArgumentParser
import TokenCacheClient

/// `entries`: prints the cache's content without the tokens themselves.
struct Entries: RequestCommand {
    static let configuration = CommandConfiguration(abstract: "List the cached tokens, without the tokens themselves.")

    @OptionGroup var sockets: SocketOptions

    @Option(help: "List this tenant's tokens only.")
    var tenant: String?

    @Option(help: "The largest number of entries to list, up to 1000.")
    var limit: Int?

    @Option(help: "Continue after the cursor that the previous page ended with.")
    var after: String?

    @Option(help: "List the tokens in another order: next-refresh, the soonest first, up to 100.")
    var order: EntriesOrder?

    @OptionGroup var output: OutputOptions

    var printsJSON: Bool { output.json }

    var request: TokenCacheClient.Request {
        var request = TokenCacheClient.Request("entries", tenant: tenant)
        request.limit = limit
        request.after = after
        request.order = order?.wireName
        return request
    }

    func text(of reply: Reply) throws -> String { EntriesView(try reply.decode(EntriesPage.self)).text }
}
