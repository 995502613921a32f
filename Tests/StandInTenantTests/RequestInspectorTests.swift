import NIOHTTP1
import StandInTenant
import Testing

@Suite("The contract's rules")
struct RequestInspectorTests {
    private static func inspect(_ request: IncomingRequest) -> (mint: MintRequest?, violations: [String]) {
        var inspector = RequestInspector(request)
        let mint = inspector.mintRequest()
        return (mint, inspector.violations)
    }

    private static func incoming(_ body: String) -> IncomingRequest {
        let headers = HTTPHeaders(standardFields.map { ($0.key, $0.value) })
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/oauth/token", headers: headers)
        return IncomingRequest(head, body: Array(body.utf8))
    }

    @Test(
        "A right request breaks none, whatever its user.",
        arguments: ["alice", #"DOMAIN\user"#, "auth0|5f", "ünï 漢字 👩‍🚀", "\u{1}\"/"]
    )
    func right(_ value: String) {
        let result = Self.inspect(Self.incoming(mintBody(value, field: "userId", scope: "user_default apps:read")))
        #expect(result.violations == [])
        #expect(result.mint?.key == .init(field: .userID, value: value, scope: "user_default apps:read"))
        #expect(result.mint?.proof == .secret(id: "standin-client", "standin-secret"))
    }

    @Test("A request without a scope is right.")
    func noScope() {
        let result = Self.inspect(Self.incoming(mintBody("alice", scope: nil)))
        #expect(result.violations == [] && result.mint?.key.scope == nil)
    }

    @Test(
        "Each wrong head breaks exactly one.",
        arguments: [
            ("content-type", "application/json; charset=utf-8"), ("content-type", nil), ("accept", "*/*"),
            ("accept", nil), ("user-agent", nil), ("user-agent", ""), ("host", nil), ("authorization", "Basic eA=="),
            ("cookie", "a=b"), ("expect", "100-continue"),
        ]
    )
    func head(_ name: String, _ value: String?) {
        var request = Self.incoming(mintBody("alice"))
        request.head.headers.remove(name: name)
        if let value { request.head.headers.add(name: name, value: value) }
        #expect(Self.inspect(request).violations.count == 1)
    }

    @Test(
        "A request may be in a trace, and a traceparent in any other form breaks a rule.",
        arguments: [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", false),
            ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", false),
            ("00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", false), ("", false),
        ]
    )
    func trace(_ traceparent: String, _ isRight: Bool) {
        var request = Self.incoming(mintBody("alice"))
        request.head.headers.add(name: "traceparent", value: traceparent)
        #expect(Self.inspect(request).violations.isEmpty == isRight)
    }

    @Test("Two traceparents break a rule.")
    func twoTraces() {
        var request = Self.incoming(mintBody("alice"))
        for _ in 0..<2 {
            let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            request.head.headers.add(name: "traceparent", value: traceparent)
        }
        #expect(Self.inspect(request).violations.count == 1)
    }

    @Test("A field that comes twice breaks a rule, and so do another method and a body that is too long.")
    func otherHeads() {
        var twice = Self.incoming(mintBody("alice"))
        twice.head.headers.add(name: "content-type", value: "application/json")
        var get = Self.incoming(mintBody("alice"))
        get.head.method = .GET
        var long = Self.incoming(mintBody("alice"))
        long.isTooLong = true
        for request in [twice, get, long] { #expect(Self.inspect(request).violations.count == 1) }
    }

    private static let lookup = #""user_lookup":{"field":"subject","value":"a"}"#
    private static let client = #""client_id":"c","client_secret":"s""#
    private static let grant = #""grant_type":"urn:qlik:oauth:user-impersonation""#

    static let wrongBodies: [String] = [
        "", "[]", "7", "{", "{}", "null", "{\(client),\(grant)}", "{\(client),\(lookup)}", "{\(grant),\(lookup)}",
        "{\(client),\(grant),\(lookup),\"x\":1}", "{\(client),\(grant),\(lookup),\"scope\":\"\"}",
        "{\(client),\(grant),\(lookup),\"scope\":[\"user_default\"]}",
        "{\(client),\(grant),\(lookup),\"scope\":\"a  b\"}",
        "{\(client),\(grant),\(lookup),\"scope\":\" a\"}", "{\(client),\(grant),\(lookup),\"scope\":\"a a\"}",
        "{\(client),\(grant),\(lookup),\"scope\":\"a\\\\b\"}", "{\(client),\(grant),\(lookup),\"scope\":null}",
        "{\(client),\(grant),\(lookup),\(grant)}", "{\(client),\(grant),\(lookup)} x",
        "\u{FEFF}{\(client),\(grant),\(lookup)}",
        "{\(client),\"grant_type\":\"client_credentials\",\(lookup)}", "{\(client),\"grant_type\":1,\(lookup)}",
        "{\"client_id\":1,\"client_secret\":\"s\",\(grant),\(lookup)}",
        "{\"client_id\":\"c\",\"client_secret\":\"\",\(grant),\(lookup)}",
        "{\(client),\(grant),\"user_lookup\":\"a\"}", "{\(client),\(grant),\"user_lookup\":{\"field\":\"subject\"}}",
        "{\(client),\(grant),\"user_lookup\":{\"field\":\"email\",\"value\":\"a\"}}",
        "{\(client),\(grant),\"user_lookup\":{\"field\":\"user_id\",\"value\":\"a\"}}",
        "{\(client),\(grant),\"user_lookup\":{\"field\":\"subject\",\"value\":7}}",
        "{\(client),\(grant),\"user_lookup\":{\"field\":\"subject\",\"value\":\"\"}}",
        "{\(client),\(grant),\"user_lookup\":{\"field\":\"subject\",\"value\":\"a\",\"x\":1}}",
        "{\(client),\(grant),\"user_lookup\":{\"field\":\"subject\",\"value\":\"\\ud800\"}}",
    ]

    @Test("A wrong body breaks at least one.", arguments: wrongBodies)
    func body(_ body: String) {
        #expect(!Self.inspect(Self.incoming(body)).violations.isEmpty)
    }

    @Test(
        "A revocation has a token and its hint, and nothing else.",
        arguments: [
            "{}", #"{"token":"t"}"#, #"{"token":"t","token_type_hint":"refresh_token"}"#,
            #"{"token":"","token_type_hint":"access_token"}"#, #"{"token":"t","token_type_hint":"access_token","x":1}"#,
        ]
    )
    func revocation(_ body: String) {
        var wrong = RequestInspector(Self.incoming(body))
        _ = wrong.revokedToken()
        #expect(!wrong.violations.isEmpty)
        var right = RequestInspector(Self.incoming(revocationBody("t")))
        #expect(right.revokedToken() == "t" && right.violations.isEmpty)
    }

    @Test("A wrong request is answered in the tenant's form and noted, and mints nothing.", .timeLimit(.minutes(1)))
    func overTheSocket() async throws {
        try await withStandInTenant { tenant in
            let reply = try await call(tenant, request(body: mintBody("alice").replacing("subject", with: "email")))
            #expect(reply.status == 400 && reply.tenantError?["code"] == "OAUTH-1")
            #expect(reply.tenantError?["detail"]?.contains("email") == true)
            _ = try await call(tenant, request("POST", "/oauth/token?x=1", body: mintBody("alice")))
            _ = try await call(tenant, request("POST", "/elsewhere", body: mintBody("alice")))
            #expect(await tenant.counters.violations == 3)
            #expect(await tenant.counters.mints == 0)
        }
    }
}
