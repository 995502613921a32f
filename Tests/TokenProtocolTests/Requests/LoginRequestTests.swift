import Secrets
import Testing
import TokenProtocol

@Suite("Requests of a login")
struct LoginRequestTests {
    private func operation(_ line: String) -> Operation? {
        let parsed = parse(line)
        guard case .request(let request) = parsed else { return nil }
        return request.operation
    }

    private func error(_ line: String) -> ErrorReply? {
        parse(line).error
    }

    private let backend = UserLookup(field: .client, value: "backend")

    @Test("A client stands in place of a user in each operation that names one.")
    func client() {
        #expect(
            operation(#"{"op":"token","client":"backend","scope":"a"}"#)
                == .token(TokenRequest(key: KeyRequest(user: backend, scopes: ScopeSet("a"))))
        )
        #expect(operation(#"{"op":"revoke","client":"backend"}"#) == .revoke(KeyRequest(user: backend)))
        let hash = AccessToken("abc").fingerprint
        #expect(
            operation(#"{"op":"invalidate","client":"backend","access_token":"abc"}"#)
                == .invalidate(InvalidateRequest(key: KeyRequest(user: backend), fingerprint: hash))
        )
        let users = UserLookup(field: .client, value: "users")
        #expect(
            operation(#"{"op":"prefetch","clients":["backend","users"]}"#)
                == .prefetch(PrefetchRequest(users: [backend, users]))
        )
        #expect(operation(#"{"op":"prefetch","client":"backend"}"#) == .prefetch(PrefetchRequest(users: [backend])))
    }

    @Test("A hit is looked up by the client's name.")
    func hit() {
        var seen: [LookupField] = []
        let line = Array(#"{"op":"token","client":"backend"}"#.utf8)
        var output = OutputBuffer()
        let lookUp: HitLookup = { field, _, _, _, _, _, _ in
            seen.append(field)
            return false
        }
        _ = RequestParser(isAdmin: false).parse(line.span, hit: lookUp, into: &output)
        #expect(seen == [.client])
    }

    @Test("A token request may report the token that was refused, and is then no plain hit.")
    func refused() {
        let hash = AccessToken("abc").fingerprint
        let line = #"{"op":"token","subject":"a","refused_token_sha256":"\#(hash.hexadecimal)"}"#
        let key = KeyRequest(user: UserLookup(field: .subject, value: "a"))
        #expect(operation(line) == .token(TokenRequest(key: key, refused: hash)))
        var isLookedUp = false
        var output = OutputBuffer()
        let lookUp: HitLookup = { _, _, _, _, _, _, _ in
            isLookedUp = true
            return false
        }
        _ = RequestParser(isAdmin: false).parse(Array(line.utf8).span, hit: lookUp, into: &output)
        #expect(!isLookedUp)
    }

    @Test("A provision is read with every member, and a group that comes twice counts once.")
    func provision() {
        let line = """
            {"op":"provision","subject":"a|b","name":"Ann","email":"ann@example.org","groups":["g","h","g"],\
            "tenant":"main","timeout":3}
            """
        let expected = ProvisionRequest(
            subject: Array("a|b".utf8),
            name: "Ann",
            email: "ann@example.org",
            groups: ["g", "h"],
            tenant: "main",
            timeout: .seconds(3)
        )
        #expect(operation(line) == .provision(expected))
        #expect(
            operation(#"{"op":"provision","subject":"a"}"#) == .provision(ProvisionRequest(subject: Array("a".utf8)))
        )
        #expect(
            operation(#"{"op":"provision","subject":"a","groups":[]}"#)
                == .provision(ProvisionRequest(subject: Array("a".utf8), groups: []))
        )
    }

    @Test("Groups that differ only in their Unicode composition are two.")
    func composedGroups() {
        let line = #"{"op":"provision","subject":"a","groups":["\u00e9","e\u0301"]}"#
        guard case .provision(let request)? = operation(line) else { return #expect(Bool(false), "it is a provision") }
        #expect(request.groups?.count == 2)
    }

    @Test("A logout may mean all of a user's tokens, wherever they were minted.")
    func everywhere() {
        let key = KeyRequest(user: UserLookup(field: .userID, value: "7"))
        #expect(operation(#"{"op":"revoke","user_id":"7","everywhere":true}"#) == .revoke(key, everywhere: true))
        #expect(operation(#"{"op":"revoke","user_id":"7","everywhere":false}"#) == .revoke(key, everywhere: false))
    }

    @Test(
        "The error for a wrong member says what it should be.",
        arguments: [
            (#""op":"token","client":"""#, "'client' must be a string of 1 to 1024 bytes"),
            (
                #""op":"token","client":"a","subject":"a""#,
                "exactly one of 'subject', 'user_id' and 'client' must be given"
            ),
            (
                #""op":"prefetch","clients":["a"],"client":"a""#,
                "exactly one of 'subjects', 'user_ids' and 'clients' must be given"
            ),
            (
                #""op":"token","subject":"a","refused_token_sha256":"ab""#,
                "'refused_token_sha256' must be 64 hexadecimal digits"
            ),
            (
                #""op":"revoke","client":"a","everywhere":true"#,
                "'everywhere' must be given without 'client' and 'scope'"
            ),
            (
                #""op":"revoke","subject":"a","scope":"b","everywhere":true"#,
                "'everywhere' must be given without 'client' and 'scope'"
            ),
            (#""op":"revoke","subject":"a","everywhere":1"#, "'everywhere' must be true or false"),
            (#""op":"provision","user_id":"7""#, "'subject' must be a string of 1 to 1024 bytes"),
            (
                #""op":"provision","subject":"a","name":"""#,
                "'name' must be a string of 1 to 256 bytes without control characters"
            ),
            (
                #""op":"provision","subject":"a","email":"a\nb""#,
                "'email' must be a string of 1 to 256 bytes without control characters"
            ),
            (
                #""op":"provision","subject":"a","groups":"g""#,
                """
                'groups' must be an array of at most 100 strings, each a string of 1 to 256 bytes without control \
                characters
                """
            ),
            (
                #""op":"provision","subject":"a","groups":[""]"#,
                """
                'groups' must be an array of at most 100 strings, each a string of 1 to 256 bytes without control \
                characters
                """
            ),
        ]
    )
    func rules(members: String, message: String) {
        #expect(error("{\(members)}") == ErrorReply(.invalidRequest, message))
    }

    @Test("The limits themselves are allowed.")
    func bounds() {
        let longest = String(repeating: "x", count: 256)
        let groups = (0..<100).map { #""\#($0)""# }.joined(separator: ",")
        let line = #"{"op":"provision","subject":"a","name":"\#(longest)","email":"\#(longest)","groups":[\#(groups)]}"#
        #expect(operation(line) != nil)
        #expect(error(line.replacing(longest, with: longest + "x")) != nil)
        #expect(error(line.replacing("[\(groups)", with: "[\(groups),\"x\"")) != nil)
    }
}
