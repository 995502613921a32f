import TestSupport
import Testing
import TokenCacheClient

@Suite("Users and logouts of the Swift client")
struct ProvisionTests {
    /// The result of a call whose reply has these members.
    private func result<Value: Sendable>(
        _ members: String,
        _ call: @Sendable (TokenCacheClient) async throws -> Value
    ) async throws -> Result<Value, TokenCacheError> {
        let server = try await ScriptedServer { .send([#"{"id":\#($0.id),\#(members)}"# + "\n"]) }
        let client = TokenCacheClient(path: server.path)
        let result: Result<Value, TokenCacheError>
        do {
            result = .success(try await call(client))
        } catch let error as TokenCacheError { result = .failure(error) }
        await client.close()
        try await server.stop()
        return result
    }

    private func provision(_ members: String) async throws -> Result<TokenCacheClient.ProvisionedUser, TokenCacheError>
    {
        try await result(members) { try await $0.provision(subject: "ann", groups: ["portal-emea"]) }
    }

    @Test("A provisioned user has the tenant's id and status, what was done, and the source.")
    func user() async throws {
        let created = #""user_id":"6305","status":"invited","created":true,"groups_changed":true"#
        #expect(
            try await provision(created).get()
                == .init(userID: "6305", status: .invited, created: true, groupsChanged: true, source: .tenant)
        )
        let known = #""user_id":"6305","status":"dormant","created":false,"groups_changed":false,"source":"cache""#
        #expect(
            try await provision(known).get()
                == .init(userID: "6305", status: .init(rawValue: "dormant"), source: .cache)
        )
    }

    @Test(
        "A reply that lacks a member of a user, or has one of another type, is malformed.",
        arguments: [
            #""status":"active","created":true,"groups_changed":false"#,
            #""user_id":"","status":"active","created":true,"groups_changed":false"#,
            #""user_id":"6305","created":true,"groups_changed":false"#,
            #""user_id":"6305","status":"active","groups_changed":false"#,
            #""user_id":"6305","status":"active","created":true"#,
            #""user_id":"6305","status":"active","created":1,"groups_changed":false"#,
            #""user_id":"6305","status":"active","created":true,"groups_changed":false,"source":1"#,
        ]
    )
    func malformed(members: String) async throws {
        let result = try await provision(members)
        let error = #expect(throws: TokenCacheError.self) { try result.get() }
        #expect(error?.code == .badReply)
    }

    @Test("A disabled user is denied with the status as the code, and several users are a conflict.")
    func errors() async throws {
        let denied = try await provision(#""error":"denied","error_description":"no","upstream":{"code":"disabled"}"#)
        let error = #expect(throws: TokenCacheError.self) { try denied.get() }
        #expect(error?.code == .denied)
        #expect(error?.upstream == .init(status: nil, code: "disabled", title: nil))
        let several = try await provision(#""error":"conflict","error_description":"no""#)
        #expect(throws: TokenCacheError.self) { try several.get() }
        if case .failure(let error) = several { #expect(error.code == .conflict) }
    }

    @Test("A logout everywhere counts the tokens that the tenant has revoked, also if it stopped halfway.")
    func everywhere() async throws {
        let logout = { @Sendable (client: TokenCacheClient) in
            try await client.revokeTokens(of: .subject("ann"), everywhere: true)
        }
        let done = try await result(#""revoked":false,"upstream_revoked":3"#, logout)
        #expect(try done.get() == .init(revoked: false, upstreamRevoked: 3))
        let half = try await result(#""revoked":true,"upstream":false,"upstream_revoked":1"#, logout)
        #expect(try half.get() == .init(revoked: true, revokedUpstream: false, upstreamRevoked: 1))
    }

    @Test("A logout everywhere fails if the daemon is too old for it, so that nobody relies on it.")
    func olderDaemon() async throws {
        let result = try await result(#""revoked":true"#) {
            try await $0.revokeTokens(of: .subject("ann"), everywhere: true)
        }
        let error = #expect(throws: TokenCacheError.self) { try result.get() }
        #expect(error?.code == .unsupportedOperation && error?.requestState == .answered)
    }
}
