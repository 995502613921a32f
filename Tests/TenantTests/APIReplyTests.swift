import Secrets
import Synchronization
import Testing
import TokenCache
import TokenProtocol

@testable import Tenant

@Suite("Replies of the tenant's API")
struct APIReplyTests {
    private static let find = APICall.findUsers(subject: Array("ann".utf8), page: nil)
    private static let create = APICall.createUser(
        NewUser(subject: Array("ann".utf8), name: "Ann Smith", email: "ann@example.org")
    )
    private static let change = APICall.changeGroups(userID: "u", .replace([]))
    private static let list = APICall.listTokens(userID: "u", page: nil)
    private static let revoke = APICall.revokeToken("t")
    private static let calls = [find, create, change, list, revoke]

    private func outcome(
        _ call: APICall,
        _ status: String,
        _ body: String = "",
        fields: [String] = []
    ) async throws -> APIOutcome {
        try await PlayedServer.run { _ in
            [PlayedServer.answer(Array(body.utf8), status: status, fields: fields)]
        } _: { server in
            try await withClient(of: server.origin) { await $0.call(call, bearer: AccessToken("bearer")) }
        }
    }

    /// The outcome of a search whose list has one user.
    private func user(_ members: String) async throws -> APIOutcome {
        try await outcome(Self.find, "200 OK", #"{"data":[{\#(members)}]}"#)
    }

    private func isMalformed(_ outcome: APIOutcome) -> Bool {
        if case .failed(.malformed) = outcome { true } else { false }
    }

    // MARK: Lists

    @Test("Users are read with their groups, and members that aren't needed are not looked at.")
    func users() async throws {
        let body = """
            {"data":[{"id":"1","subject":"a\\u00e9\\n","status":"active","name":5,"email":null,"new":{"x":[1]},
            "assignedGroups":[{"id":"g","name":"A","providerType":"idp","assignedRoles":[]},{"name":"B"}]},
            {"id":"2","subject":"","status":"disabled","assignedGroups":null}],"links":{"self":{"href":"x"}}}
            """
        let first = TenantUser(
            id: "1",
            subject: Array("aé\n".utf8),
            status: "active",
            groups: [TenantUser.Group(id: "g", name: "A", providerType: "idp"), TenantUser.Group(name: "B")]
        )
        let second = TenantUser(id: "2", subject: [], status: "disabled")
        #expect(try await outcome(Self.find, "200 OK", body) == .users([first, second], next: nil))
        #expect(try await outcome(Self.find, "200 OK", #"{"data":[]}"#) == .users([], next: nil))
    }

    @Test("Tokens are read by their ids.")
    func tokens() async throws {
        let body = #"{"data":[{"id":"t1","userId":"u","description":"d"},{"id":"t-2"}],"links":{"next":null}}"#
        #expect(try await outcome(Self.list, "200 OK", body) == .tokens(["t1", "t-2"], next: nil))
    }

    @Test(
        "A user without a usable id, subject or status makes the list malformed, and so does a group without a name.",
        arguments: [
            #""subject":"a","status":"active""#, #""id":"1","status":"active""#, #""id":"1","subject":"a""#,
            #""id":"","subject":"a","status":"active""#, #""id":1,"subject":"a","status":"active""#,
            #""id":".","subject":"a","status":"active""#, #""id":"..","subject":"a","status":"active""#,
            #""id":"a b","subject":"a","status":"active""#, #""id":"a\n","subject":"a","status":"active""#,
            #""id":"1","subject":null,"status":"active""#, #""id":"1","subject":"a","status":"""#,
            #""id":"1","subject":"a","status":"a\u001b[0m""#, #""id":"1","id":"2","subject":"a","status":"active""#,
            #""id":"1","subject":"a","subject":"b","status":"active""#,
            #""id":"1","subject":"a","status":"active","assignedGroups":{}"#,
            #""id":"1","subject":"a","status":"active","assignedGroups":["A"]"#,
            #""id":"1","subject":"a","status":"active","assignedGroups":[{"id":"1"}]"#,
            #""id":"1","subject":"a","status":"active","assignedGroups":[{"name":null}]"#,
        ]
    )
    func unusableUsers(members: String) async throws {
        #expect(isMalformed(try await user(members)))
        #expect(isMalformed(try await outcome(Self.create, "201 Created", "{\(members)}")))
    }

    @Test(
        "A list that is none is malformed.",
        arguments: [
            "", "[]", "{}", "null", #"{"data":null}"#, #"{"data":{}}"#, #"{"data":[1]}"#, #"{"data":[null]}"#,
            #"{"data":[],"data":[]}"#, #"{"data":[]"#, #"{"data":[]}x"#, "<html>", "\u{FEFF}{\"data\":[]}",
            #"{"data":[{"id":"1","subject":"a","status":"active"},{}]}"#,
            #"{"data":\#(String(repeating: "[", count: 100))\#(String(repeating: "]", count: 100))}"#,
        ]
    )
    func noList(body: String) async throws {
        #expect(isMalformed(try await outcome(Self.find, "200 OK", body)))
        #expect(isMalformed(try await outcome(Self.list, "200 OK", body)))
    }

    // MARK: Pages

    /// The next page of a list whose link has some texts in place of the server's origin.
    private func next(_ link: String, to call: APICall = find) async throws -> APIOutcome {
        let port = Mutex(0)
        return try await PlayedServer.run { _ in
            let origin = "http://127.0.0.1:\(port.withLock { $0 })"
            let body = #"{"data":[],"links":{"next":{"href":"\#(link.replacing("ORIGIN", with: origin))"}}}"#
            return [PlayedServer.answer(Array(body.utf8))]
        } _: { server in
            port.withLock { $0 = server.port }
            return try await withClient(of: server.origin) { await $0.call(call, bearer: AccessToken("bearer")) }
        }
    }

    @Test(
        "The link to the next page may be a URL or a path, and what is followed is its path and query.",
        arguments: ["ORIGIN/api/v1/users?a=b&next=%2F", "/api/v1/users?a=b&next=%2F"]
    )
    func nextPage(link: String) async throws {
        #expect(try await next(link) == .users([], next: "/api/v1/users?a=b&next=%2F"))
    }

    @Test("The link to the next page of tokens is one of tokens.")
    func nextTokens() async throws {
        let link = "ORIGIN/api/v1/oauth-tokens?page=2"
        #expect(try await next(link, to: Self.list) == .tokens([], next: "/api/v1/oauth-tokens?page=2"))
        #expect(isMalformed(try await next(link)))
    }

    @Test("The scheme and the host of a link are compared in any case of letters, and a default port may be left out.")
    func sameOrigin() {
        let tenant = Endpoint(origin: "https://Tenant.example")
        for origin in ["https://tenant.example", "HTTPS://TENANT.example:443"] {
            let target = tenant.flatMap { PageLink.target("\(origin)/a?B", at: $0, path: "/a") }
            #expect(target == "/a?B")
        }
    }

    @Test("An empty link is none.")
    func lastPage() async throws {
        #expect(try await next("") == .users([], next: nil))
    }

    @Test(
        "A link to another origin, to another path or with characters that end a request's line is malformed.",
        arguments: [
            "http://127.0.0.1:1/api/v1/users?a", "https://ORIGIN/api/v1/users?a", "http://evil.example/api/v1/users?a",
            "//evil.example/api/v1/users?a", "ORIGIN.evil.example/api/v1/users?a", "ORIGIN@evil.example/api/v1/users?a",
            "http://evil.example#ORIGIN/api/v1/users?a", "ftp://127.0.0.1/api/v1/users?a", "ORIGIN", "ORIGIN/", "?a",
            "ORIGIN/api/v1/users", "ORIGIN/api/v1/users/x?a", "ORIGIN/api/v1/users/../groups?a", "/api/v1/groups?a",
            "/api/v1/usersx?a", "/API/v1/users?a", "/api/v1/users?a b", #"/api/v1/users?a\r\nx: y"#, "/api/v1/users?é",
            "/api/v1/users?a#b", #"/api/v1/users?\u0000"#, "/api/v1/users?\(String(repeating: "a", count: 16_384))",
        ]
    )
    func foreignPage(link: String) async throws {
        #expect(isMalformed(try await next(link)))
    }

    // MARK: Other calls

    @Test("A created user is read, whatever status came back.", arguments: ["200 OK", "201 Created"])
    func created(status: String) async throws {
        let body = #"{"id":"9","subject":"ann","status":"invited"}"#
        let user = TenantUser(id: "9", subject: Array("ann".utf8), status: "invited")
        #expect(try await outcome(Self.create, status, body) == .created(user))
    }

    @Test("A change and a revocation need no body, and a token that is not there is revoked.")
    func done() async throws {
        #expect(try await outcome(Self.change, "204 No Content") == .done)
        #expect(try await outcome(Self.change, "200 OK", "{}") == .done)
        #expect(try await outcome(Self.revoke, "204 No Content") == .done)
        #expect(try await outcome(Self.revoke, "404 Not Found", "<html>") == .refused(.init(status: 404)))
    }

    @Test("A refusal says nothing of the tenant's health, and has the tenant's own words.", arguments: calls)
    func refused(call: APICall) async throws {
        let body = #"{"errors":[{"code":"X-1","title":"No\u0007pe"}]}"#
        for status in [400, 401, 402, 403, 409, 422] {
            #expect(
                try await outcome(call, "\(status) No", body)
                    == .refused(ErrorReply.Upstream(status: status, code: "X-1", title: "Nope"))
            )
        }
    }

    @Test("A tenant that is throttled or isn't well has the same outcome for each call.", arguments: calls)
    func failed(call: APICall) async throws {
        #expect(
            try await outcome(call, "429 Too Many Requests", fields: ["retry-after: 7"])
                == .failed(.throttled(retryAfter: .seconds(7)))
        )
        #expect(
            try await outcome(call, "503 Service Unavailable", fields: ["retry-after: 9"])
                == .failed(
                    .unavailable("the tenant answered with status 503", retryAfter: .usable(.seconds(9)))
                )
        )
        for status in ["500 Oh", "502 Oh", "408 Oh", "425 Oh"] {
            guard case .failed(.unavailable) = try await outcome(call, status) else {
                Issue.record("\(status)")
                continue
            }
        }
        for status in ["302 Found", "307 Temporary Redirect", "202 Accepted"] {
            let field = "location: http://127.0.0.1:9/"
            #expect(isMalformed(try await outcome(call, status, fields: [field])))
        }
    }

    @Test(
        "A refusal that repeats the name, the e-mail address or the client's token is passed on without that text.",
        arguments: ["Ann Smith", "ANN SMITH", "ann@example.org", "Ann@Example.org", "bearer"]
    )
    func noNames(text: String) async throws {
        let body = #"{"errors":[{"code":"USERS-2","title":"no user «\#(text)»"}]}"#
        #expect(
            try await outcome(Self.create, "400 No", body)
                == .refused(ErrorReply.Upstream(status: 400, code: "USERS-2"))
        )
    }

    @Test("A page may have a MiB, and a larger one is malformed.")
    func size() async throws {
        let start = #"{"data":[],"pad":""#
        for (length, isRead) in [(1_048_576, true), (1_048_577, false)] {
            let padding = String(repeating: "x", count: length - start.utf8.count - 2)
            let outcome = try await outcome(Self.find, "200 OK", "\(start)\(padding)\"}")
            #expect((outcome == .users([], next: nil)) == isRead)
            guard !isRead else { continue }
            #expect(outcome == .failed(.malformed("the tenant's answer is larger than 1048576 bytes")))
        }
    }

    @Test("A call without an answer is unavailable, with the code of the fault.")
    func noAnswer() async throws {
        let outcome = try await PlayedServer.run { _ in
            [.close]
        } _: { server in
            try await withClient(of: server.origin) { await $0.call(Self.find, bearer: AccessToken("bearer")) }
        }
        guard case .failed(.unavailable(_, let code, nil)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(code == "connection_lost")
    }
}
