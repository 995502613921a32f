import Secrets
import Testing
import TokenProtocol

@Suite("Requests")
struct RequestParserTests {
    @Test("A token request is read with every member.")
    func token() {
        let request = parse(
            #"{"op":"token","subject":"auth0|5f","tenant":"main","scope":"b a","min_ttl":1.5,"timeout":0,"no_cache":true,"id":7}"#
        )
        #expect(request.request?.id == .integer(7))
        #expect(request.token?.key.user == UserLookup(field: .subject, value: "auth0|5f"))
        #expect(request.token?.key.tenant == "main")
        #expect(request.token?.key.scopes == ScopeSet("a b"))
        #expect(request.token?.minTTL == .milliseconds(1_500))
        #expect(request.token?.timeout == .zero)
        #expect(request.token?.noCache == true)
    }

    @Test("A request for a level of the log has a level and, if it is to end, a time of up to a day.")
    func logLevel() {
        #expect(
            parse(#"{"op":"log_level","level":"debug"}"#, isAdmin: true).request?.operation
                == .logLevel(LogLevelRequest(level: .debug))
        )
        for seconds in [1, 600, 86_400] {
            let request = LogLevelRequest(level: .trace, duration: .seconds(seconds))
            #expect(
                parse(#"{"op":"log_level","for":\#(seconds),"level":"trace"}"#, isAdmin: true).request?.operation
                    == .logLevel(request)
            )
        }
    }

    @Test(
        "A wrong level or time is rejected.",
        arguments: [
            (#""x":1"#, "'level' must be one of trace, debug, info, notice, warning, error, critical"),
            (#""level":"loud""#, "'level' must be one of trace, debug, info, notice, warning, error, critical"),
            (#""level":7"#, "'level' must be one of trace, debug, info, notice, warning, error, critical"),
            (#""level":"info","for":0"#, "'for' must be an integer of seconds from 1 to 86400"),
            (#""level":"info","for":86401"#, "'for' must be an integer of seconds from 1 to 86400"),
            (#""level":"info","for":1.5"#, "'for' must be an integer of seconds from 1 to 86400"),
            (#""level":"info","for":"10m""#, "'for' must be an integer of seconds from 1 to 86400"),
            (#""level":"info","for":-1"#, "'for' must be an integer of seconds from 1 to 86400"),
            (#""level":"info","for":1e99"#, "'for' must be an integer of seconds from 1 to 86400"),
        ]
    )
    func wrongLogLevel(members: String, description: String) {
        let error = parse(#"{"op":"log_level",\#(members)}"#, isAdmin: true).error
        #expect(error == ErrorReply(.invalidRequest, description))
    }

    @Test("Missing members have their defaults.")
    func defaults() {
        let token = parse(#"{"op":"token","user_id":"u"}"#).token
        #expect(token == TokenRequest(key: KeyRequest(user: UserLookup(field: .userID, value: "u"))))
        #expect(token?.timeout == .seconds(10))
    }

    @Test(
        "White space, escapes and unknown members change nothing.",
        arguments: [
            #" { "op" : "token" , "subject" : "ann" } "#,
            #"{"\u006fp":"tok\u0065n","subject":"\u0061nn"}"#,
            #"{"new":{"a":[1,{"b":null}],"c":""},"op":"token","subject":"ann","x":[[],{}],"y":-1.5e+3}"#,
        ]
    )
    func equivalent(line: String) {
        #expect(parse(line).token?.key.user == UserLookup(field: .subject, value: "ann"))
    }

    @Test(
        "Escapes and Unicode characters are read as the bytes that they mean.",
        arguments: [
            (#"DOMAIN\\user"#, #"DOMAIN\user"#), (#"a\"b\/c\b\f\n\r\t"#, "a\"b/c\u{8}\u{c}\n\r\t"),
            (#"\ud83d\ude00"#, "😀"), ("日本語😀", "日本語😀"), (#"\u0000"#, "\0"), (#"é"#, "é"),
        ]
    )
    func escapes(json: String, value: String) {
        #expect(parse(#"{"op":"token","subject":"\#(json)"}"#).token?.key.user.value == Array(value.utf8))
    }

    @Test(
        "A line that is not one JSON object is rejected.",
        arguments: [
            "not JSON", "{", "{}x", "[]", "1", "null", #""a""#, #"{"op":"hello""#, #"{"op":"hello",}"#, #"{"op":}"#,
            #"{"op":"hello"}{"op":"hello"}"#, #"{'op':'hello'}"#, #"{"op":"hello","x":01}"#, #"{"op":"hello","x":1.}"#,
            #"{"op":"hello","x":.5}"#, #"{"op":"hello","x":+1}"#, #"{"op":"hello","x":1e}"#, #"{"op":"hello","x":NaN}"#,
            #"{"op":"hello","x":tru}"#, #"{"op":"hello","x":"\x"}"#, #"{"op":"hello","x":"\u12g4"}"#,
            #"{"op":"hello","x":"\ud800"}"#, #"{"op":"hello","x":"\udc00"}"#, #"{"op":"hello","x":"\ud800\u0041"}"#,
            #"{"op":"hello","x":[1,]}"#, #"{"op":"hello","x":[1}"#, #"{"op":"hello","x":{"a"}}"#,
            #"{"op":"hello","x":{"a":1,}}"#, #"{"op":"hello","x":[}"#, "\u{feff}{\"op\":\"hello\"}",
            "{\"op\":\"hello\",\"x\":\"\t\"}", "{\"op\":\"hello\",\"x\":\"",
        ]
    )
    func malformed(line: String) {
        #expect(parse(line).error?.code == .invalidRequest)
    }

    @Test(
        "A line that is not UTF-8 is rejected.",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80]]
            as [[UInt8]]
    )
    func invalidUTF8(bytes: [UInt8]) {
        let line = Array(#"{"op":"token","subject":"a"#.utf8) + bytes + Array(#""}"#.utf8)
        #expect(parse(line).error?.description == "the line is not UTF-8")
    }

    @Test("No member may come twice, known or unknown, in whatever form, except in nested objects.")
    func duplicates() {
        #expect(parse(#"{"op":"hello","op":"hello"}"#).error?.code == .invalidRequest)
        #expect(parse(#"{"op":"hello","x":1,"x":2}"#).error?.code == .invalidRequest)
        #expect(parse(#"{"op":"hello","x":1,"\u0078":2}"#).error?.code == .invalidRequest)
        #expect(parse(#"{"op":"token","subject":"a","\u0073ubject":"b"}"#).error?.code == .invalidRequest)
        #expect(parse(#"{"op":"hello","x":{"a":1,"a":2}}"#).request != nil)
        let many = (0..<200).map { #""n\#($0)":0"# }.joined(separator: ",")
        #expect(parse(#"{"op":"hello",\#(many)}"#).request != nil)
        #expect(parse(#"{"op":"hello",\#(many),"n150":0}"#).error?.code == .invalidRequest)
    }

    @Test(
        "The error for a member that comes twice has the id, unless the id comes twice."
    )
    func duplicatesCarryID() {
        let error = ErrorReply(.invalidRequest, "a member of the object comes twice")
        let line = #"{"op":"token","subject":"a","subject":"b","id":7}"#
        #expect(parse(line) == .rejected(id: .integer(7), error))
        #expect(parse(#"{"id":7,"op":"hello","id":7}"#) == .rejected(id: nil, error))
        #expect(parse(#"{"id":7,"op":"hello","\u0069d":8}"#) == .rejected(id: nil, error))
    }

    @Test("Nesting may be at most 32 deep.", arguments: [("[", "]"), ("{\"a\":", "}")])
    func depth(open: String, close: String) {
        func line(_ depth: Int) -> String {
            let inner = String(repeating: open, count: depth - 1) + "1" + String(repeating: close, count: depth - 1)
            return #"{"op":"hello","x":\#(inner)}"#
        }
        #expect(parse(line(32)).request != nil)
        #expect(parse(line(33)).error?.description == "the line nests deeper than 32 levels")
        #expect(parse(#"{"op":"hello","x":"# + String(repeating: "[", count: 60_000)).error?.code == .invalidRequest)
    }

    @Test(
        "An id is a string of at most 128 bytes or an integer of at most 53 bits.",
        arguments: [
            ("7", true), ("-7", true), ("9007199254740991", true), ("-9007199254740991", true),
            ("9007199254740992", false), ("12345678901234567890", false), ("1.0", false), ("1e3", false),
            ("null", false), ("true", false), ("[]", false), ("{}", false), (#""""#, true), (#""a\"b""#, true),
            ("\"\(String(repeating: "x", count: 128))\"", true), ("\"\(String(repeating: "x", count: 129))\"", false),
            ("\"\(String(repeating: #"\u0041"#, count: 128))\"", true),
            ("\"\(String(repeating: "é", count: 65))\"", false),
        ]
    )
    func ids(json: String, isValid: Bool) {
        let line = parse(#"{"op":"hello","id":\#(json)}"#)
        #expect((line.request != nil) == isValid)
        if !isValid { #expect(line == .rejected(id: nil, line.error ?? ErrorReply(.denied, ""))) }
    }

    @Test("An error has the id of the line if that is valid.")
    func errorsCarryID() {
        let rejected = parse(#"{"op":"token","id":"x"}"#)
        #expect(rejected == .rejected(id: .text(json: Array(#""x""#.utf8)), rejected.error ?? ErrorReply(.denied, "")))
        #expect(rejected.error?.description == "exactly one of 'subject', 'user_id' and 'client' must be given")
    }

    @Test(
        "The error for a missing or invalid member names the member and says what it should be.",
        arguments: [
            ("{}", "'op' is missing: it names the operation"),
            (#"{"op":1}"#, "'op' must be a string"),
            (#"{"op":"token"}"#, "exactly one of 'subject', 'user_id' and 'client' must be given"),
            (
                #"{"op":"token","subject":"a","user_id":"b"}"#,
                "exactly one of 'subject', 'user_id' and 'client' must be given"
            ),
            (#"{"op":"token","subject":""}"#, "'subject' must be a string of 1 to 1024 bytes"),
            (#"{"op":"token","subject":null}"#, "'subject' must be a string of 1 to 1024 bytes"),
            (#"{"op":"token","user_id":5}"#, "'user_id' must be a string of 1 to 1024 bytes"),
            (#"{"op":"token","subject":"a","tenant":1}"#, "'tenant' must be a string"),
            (
                #"{"op":"token","subject":"a","scope":""}"#,
                "'scope' must be a string of one or more scopes with spaces between them"
            ),
            (
                #"{"op":"token","subject":"a","scope":"  "}"#,
                "'scope' must be a string of one or more scopes with spaces between them"
            ),
            (
                #"{"op":"token","subject":"a","scope":["a"]}"#,
                "'scope' must be a string of one or more scopes with spaces between them"
            ),
            (#"{"op":"token","subject":"a","min_ttl":-1}"#, "'min_ttl' must be a number of seconds from 0 to 86400"),
            (#"{"op":"token","subject":"a","min_ttl":86401}"#, "'min_ttl' must be a number of seconds from 0 to 86400"),
            (#"{"op":"token","subject":"a","min_ttl":1e400}"#, "'min_ttl' must be a number of seconds from 0 to 86400"),
            (#"{"op":"token","subject":"a","min_ttl":"5"}"#, "'min_ttl' must be a number of seconds from 0 to 86400"),
            (#"{"op":"token","subject":"a","timeout":300.1}"#, "'timeout' must be a number of seconds from 0 to 300"),
            (#"{"op":"token","subject":"a","no_cache":1}"#, "'no_cache' must be true or false"),
            (#"{"op":"prefetch"}"#, "exactly one of 'subjects', 'user_ids' and 'clients' must be given"),
            (
                #"{"op":"prefetch","subjects":[]}"#,
                "'subjects' must be an array of 1 to 1000 strings of 1 to 1024 bytes each"
            ),
            (
                #"{"op":"prefetch","subjects":["a",1]}"#,
                "'subjects' must be an array of 1 to 1000 strings of 1 to 1024 bytes each"
            ),
            (
                #"{"op":"prefetch","user_ids":["a",""]}"#,
                "'user_ids' must be an array of 1 to 1000 strings of 1 to 1024 bytes each"
            ),
            (
                #"{"op":"prefetch","subjects":"a"}"#,
                "'subjects' must be an array of 1 to 1000 strings of 1 to 1024 bytes each"
            ),
            (#"{"op":"invalidate","subject":"a"}"#, "exactly one of 'access_token' and 'token_sha256' must be given"),
            (#"{"op":"invalidate","subject":"a","token_sha256":"ab"}"#, "'token_sha256' must be 64 hexadecimal digits"),
            (#"{"op":"invalidate","subject":"a","access_token":""}"#, "'access_token' must be a string, not empty"),
        ]
    )
    func rules(line: String, message: String) {
        #expect(parse(line).error == ErrorReply(.invalidRequest, message))
    }

    @Test("The limits themselves are allowed.")
    func bounds() {
        let longest = String(repeating: "x", count: 1_024)
        #expect(parse(#"{"op":"token","subject":"\#(longest)","min_ttl":86400,"timeout":300}"#).token != nil)
        #expect(parse(#"{"op":"token","subject":"\#(longest)x"}"#).error?.code == .invalidRequest)
        let users = (0..<1_000).map { #""\#($0)""# }.joined(separator: " , ")
        guard case .prefetch(let request)? = parse(#"{"op":"prefetch","subjects":[ \#(users) ]}"#).request?.operation
        else {
            return #expect(Bool(false), "a thousand subjects are allowed")
        }
        #expect(request.users.count == 1_000)
        #expect(parse(#"{"op":"prefetch","subjects":[\#(users),"x"]}"#).error?.code == .invalidRequest)
    }

    @Test("A token and its hash report the same token.")
    func invalidate() {
        let hash = AccessToken("abc").fingerprint
        let expected = Operation.invalidate(
            InvalidateRequest(key: KeyRequest(user: UserLookup(field: .subject, value: "a")), fingerprint: hash)
        )
        #expect(parse(#"{"op":"invalidate","subject":"a","access_token":"abc"}"#).request?.operation == expected)
        #expect(
            parse(#"{"op":"invalidate","subject":"a","token_sha256":"\#(hash.hexadecimal)"}"#).request?.operation
                == expected
        )
    }

    @Test("The request socket knows only the apps' operations, and neither socket knows others.")
    func operations() {
        for name in OperationName.allCases where !name.isForApps {
            #expect(parse(#"{"op":"\#(name.rawValue)","subject":"a","id":1}"#).error?.code == .unsupportedOperation)
            #expect(
                parse(#"{"op":"\#(name.rawValue)","subject":"a","level":"info"}"#, isAdmin: true).request?.operation
                    .name == name
            )
        }
        for name in ["log-level", "log_levels", "Token", "", "tokenx"] {
            let line = parse(#"{"op":"\#(name)","id":1}"#, isAdmin: true)
            #expect(
                line
                    == .rejected(
                        id: .integer(1),
                        ErrorReply(.unsupportedOperation, "there is no such operation on this socket")
                    )
            )
        }
    }

    @Test(
        "The limit of a page of entries is from 1 to 1000.",
        arguments: [("1", true), ("1000", true), ("0", false), ("1001", false), ("1.5", false), (#""1""#, false)]
    )
    func entriesLimit(limit: String, isValid: Bool) {
        #expect((parse(#"{"op":"entries","limit":\#(limit)}"#, isAdmin: true).request != nil) == isValid)
    }

    @Test(
        "The order of refreshes has at most a hundred entries, and neither a tenant nor further pages.",
        arguments: [
            (#""order":"next_refresh""#, true), (#""order":"next\u005frefresh","limit":100"#, true),
            (#""order":"next_refresh","limit":101"#, false), (#""order":"next_refresh","after":"1""#, false),
            (#""order":"next_refresh","tenant":"main""#, false), (#""order":"age""#, false), (#""order":1"#, false),
            (#""order":null"#, false), (#""order":"next_refresh","order":"next_refresh""#, false),
        ]
    )
    func entriesOrder(members: String, isValid: Bool) {
        let operation = parse(#"{"op":"entries",\#(members)}"#, isAdmin: true).request?.operation
        #expect((operation != nil) == isValid)
        guard case .entries(let entries)? = operation else { return }
        #expect(entries.order == .nextRefresh)
    }
}
