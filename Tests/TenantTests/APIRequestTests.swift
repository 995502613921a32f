import Foundation
import Secrets
import Tenant
import Testing
import TokenCache
import TokenProtocol

@Suite("Requests of the tenant's API")
struct APIRequestTests {
    /// Makes a call, and returns the request that arrived.
    private func request(
        _ call: APICall,
        bearer: String = "token",
        in trace: TraceContext? = nil
    ) async throws -> String {
        try await PlayedServer.run { _ in
            [PlayedServer.answer([], status: "204 No Content")]
        } _: { server in
            try await withClient(of: server.origin) { client in
                _ = await client.call(call, bearer: AccessToken(bearer), in: trace)
            }
            return try #require(server.requests.first)
        }
    }

    private func target(_ call: APICall) async throws -> String {
        let line = try await request(call).split(separator: "\r\n").first
        return try String(#require(line))
    }

    private func body(_ call: APICall) async throws -> String {
        let request = try await request(call)
        let end = try #require(request.firstRange(of: "\r\n\r\n"))
        return String(request[end.upperBound...])
    }

    /// The filter of a search, decoded.
    private func filter(_ subject: String) async throws -> String {
        let line = try await target(.findUsers(subject: Array(subject.utf8), page: nil))
        let query = try #require(line.firstMatch(of: #/filter=([^&]*)&limit=100 /#))
        return try #require(query.output.1.removingPercentEncoding)
    }

    private static let statuses = """
        (status eq "active" or status eq "invited" or status eq "disabled" or status eq "deleted")
        """

    @Test("A user is looked up by the subject, in any state, and each character but the unreserved ones is encoded.")
    func find() async throws {
        let line = try await target(.findUsers(subject: Array("a b&c=d%/?#é".utf8), page: nil))
        #expect(
            line == """
                GET /api/v1/users?filter=%28subject%20eq%20%22a%20b%26c%3Dd%25%2F%3F%23%C3%A9%22%29%20and%20\
                %28status%20eq%20%22active%22%20or%20status%20eq%20%22invited%22%20or%20\
                status%20eq%20%22disabled%22%20or%20status%20eq%20%22deleted%22%29&limit=100 HTTP/1.1
                """
        )
    }

    @Test(
        "A subject can't end the filter's text: quotes, backslashes and control characters are escaped.",
        arguments: [
            (#"a"b"#, #"a\"b"#), (#"DOMAIN\user"#, #"DOMAIN\\user"#), ("a\nb\u{0}", #"a\u000ab\u0000"#),
            (#"x" or subject pr or subject eq ""#, #"x\" or subject pr or subject eq \""#), (#"\"#, #"\\"#),
            (#"\" or id pr"#, #"\\\" or id pr"#), ("日本語😀", "日本語😀"),
        ]
    )
    func escapes(subject: String, escaped: String) async throws {
        #expect(try await filter(subject) == #"(subject eq "\#(escaped)") and \#(Self.statuses)"#)
    }

    @Test("A later page is asked for as the tenant's link says.")
    func pages() async throws {
        let users = try await target(.findUsers(subject: Array("ann".utf8), page: "/api/v1/users?next=abc"))
        #expect(users == "GET /api/v1/users?next=abc HTTP/1.1")
        let tokens = try await target(.listTokens(userID: "u", page: "/api/v1/oauth-tokens?page=x"))
        #expect(tokens == "GET /api/v1/oauth-tokens?page=x HTTP/1.1")
    }

    @Test("A user is created as active, with a name and an e-mail address only if there are any.")
    func create() async throws {
        let whole = NewUser(subject: Array(#"an"n"#.utf8), name: "Ann", email: "ann@example.org")
        #expect(try await target(.createUser(whole)) == "POST /api/v1/users HTTP/1.1")
        #expect(
            try await body(.createUser(whole))
                == #"{"subject":"an\"n","name":"Ann","email":"ann@example.org","status":"active"}"#
        )
        let bare = NewUser(subject: Array("bob".utf8), name: nil, email: nil)
        #expect(try await body(.createUser(bare)) == #"{"subject":"bob","status":"active"}"#)
    }

    @Test("Groups are changed by one patch, in either form, and what isn't to be changed is not in it.")
    func groups() async throws {
        let idp = TenantUser.Group(id: "1", name: "old", providerType: "idp")
        let plain = TenantUser.Group(id: "2", name: "pl\"ain")
        let both = APICall.changeGroups(userID: "a/b?c", .edit(adding: ["new"], removing: [idp, plain]))
        #expect(try await target(both) == "PATCH /api/v1/users/a%2Fb%3Fc HTTP/1.1")
        let remove = """
            {"op":"remove-value","path":"/assignedGroups","value":[{"name":"old","providerType":"idp"},{"name":"pl\\"ain"}]}
            """
        let add = #"{"op":"add","path":"/assignedGroups","value":[{"name":"new","providerType":"custom"}]}"#
        #expect(try await body(both) == "[\(add),\(remove)]")
        #expect(try await body(.changeGroups(userID: "u", .edit(adding: ["new"], removing: []))) == "[\(add)]")
        #expect(try await body(.changeGroups(userID: "u", .edit(adding: [], removing: [idp, plain]))) == "[\(remove)]")
        #expect(
            try await body(.changeGroups(userID: "u", .replace([])))
                == #"[{"op":"replace","path":"/assignedGroups","value":[]}]"#
        )
    }

    @Test("A user's tokens are listed and revoked by ids that can't be another path or query.")
    func tokens() async throws {
        let list = try await target(.listTokens(userID: "u&userId=v", page: nil))
        #expect(list == "GET /api/v1/oauth-tokens?userId=u%26userId%3Dv&limit=100 HTTP/1.1")
        #expect(
            try await target(.revokeToken("../users/a b")) == "DELETE /api/v1/oauth-tokens/..%2Fusers%2Fa%20b HTTP/1.1"
        )
    }

    @Test("Each request has the client's token and the trace, and a body's type and length only with a body.")
    func head() async throws {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let trace = TraceContext(Array(text.utf8).span)
        let get = try await request(.listTokens(userID: "u", page: nil), bearer: "abc.DEF", in: trace)
        #expect(get.hasSuffix("\r\nauthorization: Bearer abc.DEF\r\n\r\n"))
        #expect(get.contains("\r\ntraceparent: \(text)\r\n"))
        #expect(!get.contains("content-"))
        let patch = try await request(.changeGroups(userID: "u", .replace([])))
        #expect(patch.contains("\r\ncontent-type: application/json\r\ncontent-length: 54\r\n"))
        #expect(patch.contains("\r\nauthorization: Bearer token\r\n"))
    }

    @Test("The token of one request is not in the next one on the same connection.")
    func noLeftover() async throws {
        try await PlayedServer.run { position in
            position.request == 0 ? [PlayedServer.answer([], status: "204 No Content")] : [PlayedServer.token]
        } _: { server in
            try await withClient(of: server.origin) { client in
                #expect(await client.call(.revokeToken("t"), bearer: AccessToken("hidden")) == .done)
                #expect(await client.mint().isMinted)
                #expect(server.connections == 1)
                let last = try #require(server.requests.last)
                #expect(!last.contains("authorization") && !last.contains("hidden"))
            }
        }
    }

    @Test(
        "A request on a kept connection that turns out to be broken is sent again, with its token.",
        arguments: [
            APICall.revokeToken("t"), .findUsers(subject: Array("ann".utf8), page: nil),
        ]
    )
    func again(call: APICall) async throws {
        try await PlayedServer.run { position in
            position.request == 0 ? [PlayedServer.answer([], status: "404 Not Found")] : [.close]
        } _: { server in
            try await withClient(of: server.origin) { client in
                _ = await client.call(.revokeToken("first"), bearer: AccessToken("a"))
                _ = await client.call(call, bearer: AccessToken("b"))
                #expect(server.connections == 2)
                let (broken, repeated) = (server.requests[1], server.requests[2])
                #expect(broken == repeated && repeated.contains("\r\nauthorization: Bearer b\r\n"))
            }
        }
    }

    @Test("A creation is not sent again on another connection, as the tenant may have made it.")
    func creationOnce() async throws {
        try await PlayedServer.run { position in
            position.request == 0 ? [PlayedServer.answer([], status: "404 Not Found")] : [.close]
        } _: { server in
            try await withClient(of: server.origin) { client in
                _ = await client.call(.revokeToken("first"), bearer: AccessToken("a"))
                let create = APICall.createUser(NewUser(subject: Array("ann".utf8), name: nil, email: nil))
                guard case .failed(.unavailable) = await client.call(create, bearer: AccessToken("b")) else {
                    Issue.record("the creation had no answer")
                    return
                }
                #expect(server.requests.count == 2)
            }
        }
    }
}
