import Testing
import TokenProtocol

@Suite("The plain form of requests for tokens")
struct PlainTokenTests {
    /// The members that a plain request may have, with a value of each.
    private static let plain = [
        "op": #""token""#, "id": "7", "subject": #""ann""#, "user_id": #""u""#, "client": #""c""#, "tenant": #""t""#,
        "scope": #""s""#, "min_ttl": "300",
    ]

    /// Reads a line and returns the parts of the request as text, or nil if it is declined.
    private static func read(_ line: String, end: String = "\n") -> [String]? {
        let chunk = Array((line + end).utf8)
        var request = PlainTokenRequest()
        guard PlainTokenScanner.read(chunk.span, from: 0, into: &request) == chunk.count else { return nil }
        let texts = [request.user, request.tenant, request.scope, request.id].map {
            String(decoding: chunk[$0], as: UTF8.self)
        }
        return [request.field.memberName] + texts + [request.minTTL.map { "\($0)" } ?? "-"]
    }

    @Test("All its members are read, in any order and with the spaces that encoders write.")
    func members() {
        #expect(Self.read(#"{"op":"token","subject":"ann"}"#) == ["subject", "ann", "", "", "", "-"])
        #expect(
            Self.read(#"{"id":7,"op":"token","user_id":"ü","tenant":"t","scope":"a b","min_ttl":0}"#, end: "\r\n")
                == ["user_id", "ü", "t", "a b", "7", "0.0 seconds"]
        )
        #expect(
            Self.read(#"{"client": "c", "min_ttl": 86400, "id": "é-1", "op": "token"}"#)
                == ["client", "c", "", "", #""é-1""#, "86400.0 seconds"]
        )
        #expect(Self.read(#"{"op":"token","id":999999999999999,"subject":"a"}"#)?[4] == "999999999999999")
        #expect(Self.read(#"{"op":"token","subject":"a","id":""}"#)?[4] == #""""#)
    }

    @Test("A `min_ttl` has the same length in both forms, whatever it is.")
    func minTTL() {
        for seconds in 0...86_400 {
            let plain = Duration.seconds(seconds)
            let general = Duration.seconds(Double(seconds))
            if plain != general { Issue.record("\(seconds) seconds differ") }
        }
    }

    @Test(
        "A line in any other form is declined.",
        arguments: [
            #"{"op":"token"}"#, #"{"subject":"a"}"#, #"{"op":"tokens","subject":"a"}"#,
            #"{"op":"revoke","subject":"a"}"#,
            #"{"op":"token","subject":""}"#, #"{"op":"token","subject":"a","tenant":""}"#,
            #"{"op":"token","subject":"a","scope":""}"#, #"{"op":"token","subject":7}"#,
            #"{"op":"token","subject":"a","user_id":"a"}"#, #"{"op":"token","client":"a","subject":"a"}"#,
            #"{"op":"token","subject":"\u0061"}"#, #"{"op":"token","subject":"a","id":"\n"}"#,
            #"{"op":"token","subject":"a","id":07}"#, #"{"op":"token","subject":"a","id":-7}"#,
            #"{"op":"token","subject":"a","id":7.0}"#, #"{"op":"token","subject":"a","id":7e1}"#,
            #"{"op":"token","subject":"a","id":1000000000000000}"#, #"{"op":"token","subject":"a","id":null}"#,
            #"{"op":"token","subject":"a","min_ttl":86401}"#, #"{"op":"token","subject":"a","min_ttl":1.5}"#,
            #"{"op":"token","subject":"a","min_ttl":"5"}"#, #"{"op":"token","subject":"a","min_ttl":00}"#,
            #"{"op":"token","subject":"a",}"#, #"{,"op":"token","subject":"a"}"#, #"{"op":"token","subject":"a"}}"#,
            #"{"op":"token","subject":"a"} "#, #" {"op":"token","subject":"a"}"#, #"{"op":"token" ,"subject":"a"}"#,
            #"{"op":  "token","subject":"a"}"#, #"{"op":"token""subject":"a"}"#, #"{"op":"token","subject":"a"]"#,
            #"["op":"token","subject":"a"}"#, #"{"op":"token","subject":"a"#, #"{"op":"token","subject":"a\"}"#, "",
            "{}",
            "{\"op\":\"token\",\"subject\":\"a\u{1f}b\"}", "{\"op\":\"token\",\"subject\":\"a\u{0}b\"}",
        ]
    )
    func declined(line: String) { #expect(Self.read(line) == nil) }

    @Test("A byte that is not UTF-8 is declined, wherever it is in a text.", arguments: [0x80, 0xC3, 0xE2, 0xF8, 0xFF])
    func notUTF8(byte: UInt8) {
        for length in 0..<20 {
            let user = Array(repeating: UInt8(ascii: "a"), count: length) + [byte]
            for rest in [[], Array("abcdefghij".utf8)] {
                let chunk = Array(#"{"op":"token","subject":""#.utf8) + user + rest + Array("\"}\n".utf8)
                var request = PlainTokenRequest()
                #expect(PlainTokenScanner.read(chunk.span, from: 0, into: &request) == nil)
            }
        }
    }

    @Test("Names, ids and lines are read up to their limits, and declined above them.")
    func limits() {
        func user(_ length: Int) -> String { String(repeating: "u", count: length) }
        #expect(Self.read(#"{"op":"token","subject":"\#(user(1_024))"}"#) != nil)
        #expect(Self.read(#"{"op":"token","subject":"\#(user(1_025))"}"#) == nil)
        #expect(Self.read(#"{"op":"token","subject":"a","id":"\#(user(128))"}"#) != nil)
        #expect(Self.read(#"{"op":"token","subject":"a","id":"\#(user(129))"}"#) == nil)
        let frame = #"{"op":"token","subject":"a","tenant":""}"#.utf8.count
        for end in ["\n", "\r\n"] {
            let longest = #"{"op":"token","subject":"a","tenant":"\#(user(65_536 - frame))"}"#
            #expect(Self.read(longest, end: end) != nil)
            #expect(Self.read(longest.replacing("\"a\"", with: "\"aa\""), end: end) == nil)
        }
    }

    @Test("A line whose end was not read yet is declined, wherever it is divided.")
    func divided() {
        for end in ["\n", "\r\n"] {
            let line = Array((#"{"id":7,"op":"token","subject":"auth0|ann","tenant":"tö","min_ttl":5}"# + end).utf8)
            for count in line.indices {
                var request = PlainTokenRequest()
                let part = Array(line[..<count])
                #expect(PlainTokenScanner.read(part.span, from: 0, into: &request) == nil)
            }
        }
    }

    @Test("No member but its own is read: a new member of the protocol is declined, and so are unknown ones.")
    func otherMembers() {
        let (start, values) = (#"{"op":"token","subject":"ann""#, [#""x""#, "1", "true", "false", "null", "[]", "{}"])
        for name in RequestParser.memberNames + ["unknown", "i", "id_", "op_", "x"] where Self.plain[name] == nil {
            for value in values {
                #expect(Self.read("\(start),\"\(name)\":\(value)}") == nil, "\(name)")
                #expect(Self.read(#"{"\#(name)":\#(value),"op":"token","subject":"ann"}"#) == nil, "\(name)")
            }
        }
        #expect(Set(Self.plain.keys).isSubset(of: RequestParser.memberNames))
    }

    @Test("A member that comes twice is declined, whether its values differ or not.")
    func twice() {
        for (name, value) in Self.plain {
            let others = name == "user_id" || name == "client" ? #""op":"token""# : #""op":"token","subject":"ann""#
            let isOnce = name == "op" || name == "subject"
            let member = "\"\(name)\":\(value)"
            #expect(Self.read("{\(others)\(isOnce ? "" : "," + member)}") != nil, "\(name)")
            #expect(Self.read("{\(others),\(member)\(isOnce ? "" : "," + member)}") == nil, "\(name)")
        }
    }
}
