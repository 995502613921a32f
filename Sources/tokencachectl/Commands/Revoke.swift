import ArgumentParser
import TokenCacheClient

/// `revoke`: logs a user out.
struct Revoke: RequestCommand {
    static let configuration = CommandConfiguration(
        abstract: "Drop a user's tokens and revoke them at the tenant, of all scopes unless --scope names them.",
        discussion: "The exit status is 1 if the tenant has not revoked a token, which is valid there until it expires."
    )
    static let socket = SocketKind.requests

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions
    @OptionGroup var output: OutputOptions

    var request: TokenCacheClient.Request { key.request("revoke") }
    var explanation: String? { key.explanation }

    func text(of reply: Reply, _ display: Display) throws -> String {
        let revocation = try reply.decode(TokenCacheClient.Revocation.self)
        guard revocation.revoked else { return "no token was cached" }
        guard !revocation.revokedUpstream else { return "revoked" }
        return "dropped here, but not revoked by the tenant, where it is valid until it expires"
    }

    func exitCode(after reply: Reply) throws -> ExitCode {
        try reply.decode(TokenCacheClient.Revocation.self).revokedUpstream ? .success : .failure
    }
}
