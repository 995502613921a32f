import ArgumentParser
import TokenCacheClient

/// `revoke`: logs a user out.
struct Revoke: KeyCommand {
    static let configuration = CommandConfiguration(
        abstract: "Drop a user's tokens and revoke them at the tenant, of all scopes unless --scope names them.",
        discussion: """
            With --everywhere, the tenant also revokes the user's tokens that were minted elsewhere. The exit status is 1 \
            if the tenant has not revoked a token, which is valid there until it expires.
            """
    )
    static let socket = SocketKind.requests

    @OptionGroup var sockets: SocketOptions
    @OptionGroup var key: KeyOptions

    @Flag(help: "Revoke all of the user's tokens at the tenant, also those that were minted elsewhere.")
    var everywhere = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !everywhere || key.client == nil else {
            throw ValidationError("'--everywhere' can't be combined with '--client'.")
        }
    }

    var request: TokenCacheClient.Request {
        var request = key.request("revoke")
        request.everywhere = everywhere
        return request
    }

    func text(of reply: Reply, _ display: Display) throws -> String {
        let revocation = try revocation(in: reply)
        if let count = revocation.upstreamRevoked { return Self.text(of: revocation, everywhere: count) }
        guard revocation.revoked else { return "no token was cached" }
        guard !revocation.revokedUpstream else { return "revoked" }
        return "dropped here, but not revoked by the tenant, where it is valid until it expires"
    }

    private static func text(of revocation: TokenCacheClient.Revocation, everywhere count: Int) -> String {
        let here = revocation.revoked ? "dropped here" : "no token was cached"
        let there = "\(count) \(count == 1 ? "token" : "tokens") revoked at the tenant"
        let rest = revocation.revokedUpstream ? "" : ", but not all: the others are valid until they expire"
        return "\(here); \(there)\(rest)"
    }

    func exitCode(after reply: Reply) throws -> ExitCode {
        try revocation(in: reply).revokedUpstream ? .success : .failure
    }

    func advice(on error: TokenCacheError) -> String? {
        guard everywhere, error.code == .forbidden else { return key.advice(on: error, by: socket) }
        return
            "the tenant needs `provision.revoke_client`, and the access rule `revoke` among its `operations`; see the "
            + "configuration"
    }

    private func revocation(in reply: Reply) throws -> TokenCacheClient.Revocation {
        let revocation = try reply.decode(TokenCacheClient.Revocation.self)
        if everywhere { try revocation.checkEverywhere() }
        return revocation
    }
}
