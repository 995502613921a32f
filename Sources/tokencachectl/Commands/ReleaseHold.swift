import ArgumentParser
import TokenCacheClient

/// `release-hold`: ends the hold that a tenant's wrong `Retry-After` has set.
struct ReleaseHold: RequestCommand {
    static let configuration = CommandConfiguration(
        abstract: "End the hold of all tenants, or of one, that a 429 or 503 with a wrong Retry-After has set.",
        discussion: """
            Calls that wait go at once, at the tenant's configured rate. If the tenant still wants no calls, its next \
            answer sets another hold. An open circuit stays open: it ends when a call succeeds.
            """
    )

    @OptionGroup var sockets: SocketOptions

    @Option(help: "End this tenant's hold only.")
    var tenant: String?

    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { TokenCacheClient.Request("release_hold", tenant: tenant) }

    func text(of reply: Reply, _ display: Display) throws -> String {
        switch try reply.decode(ReleaseReply.self).released {
        case 0: tenant == nil ? "no tenant is on hold" : "the tenant is not on hold"
        case 1: "1 hold ended"
        case let count: "\(count) holds ended"
        }
    }
}
