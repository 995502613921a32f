import ArgumentParser
import TokenCacheClient

/// `hello`: prints what the calling user may ask the daemon.
struct Hello: RequestCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the daemon's version, and the operations and tenants that are open to you."
    )
    static let socket = SocketKind.requests

    @OptionGroup var sockets: SocketOptions

    var request: TokenCacheClient.Request { TokenCacheClient.Request("hello") }

    func text(of reply: Reply) -> String { reply.json }
}
