import ArgumentParser
import TokenCacheClient

/// The options that name the daemon's sockets.
package struct SocketOptions: ParsableArguments {
    @Option(help: "The path of the applications' socket.", completion: .file())
    var socket: String?

    @Option(help: "The path of the operators' socket.", completion: .file())
    var adminSocket: String?

    package init() {}

    /// The path of a socket: that of the option, of the environment or of the packaged unit.
    package func path(of socket: SocketKind) -> String {
        switch socket {
        case .requests: self.socket ?? TokenCacheClient.SocketPath.requests
        case .admin: adminSocket ?? TokenCacheClient.SocketPath.admin
        }
    }
}
