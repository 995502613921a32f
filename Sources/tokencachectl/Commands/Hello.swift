import ArgumentParser
import TokenCacheClient

/// `hello`: prints what the calling user may ask the daemon.
struct Hello: RequestCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the daemon's version, and the operations, tenants and clients that are open to you."
    )

    @OptionGroup var sockets: SocketOptions

    @Flag(help: "Ask on the operators' socket.")
    var admin = false

    @OptionGroup var output: OutputOptions

    var socket: SocketKind { admin ? .admin : .requests }
    var request: TokenCacheClient.Request { TokenCacheClient.Request("hello") }

    func text(of reply: Reply, _ display: Display) throws -> String {
        HelloView(try reply.decode(TokenCacheClient.Hello.self), display).text
    }
}
