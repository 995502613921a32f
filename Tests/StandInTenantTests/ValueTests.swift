import Foundation
import StandInTenant
import Testing

@Suite("The stand-in's values")
struct ValueTests {
    @Test(
        "Times are written as HTTP and ISO 8601 have them.",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_795_471_800_250, "2026-11-23T22:10:00.250Z", "Mon, 23 Nov 2026 22:10:00 GMT"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z", "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
        ]
    )
    func times(_ milliseconds: Int, _ iso8601: String, _ http: String) {
        let time = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
        #expect(time.iso8601 == iso8601)
        #expect(time.httpDate == http)
    }

    @Test("Every millisecond of a second is written as it is.")
    func milliseconds() {
        for milliseconds in 0..<1_000 {
            let time = Date(timeIntervalSince1970: 1_795_471_800 + Double(milliseconds) / 1_000)
            #expect(time.iso8601.hasSuffix(String(format: "10:00.%03dZ", milliseconds)))
        }
    }

    @Test("A limit of 100 a minute lets 100 through at once, and then one every 600 ms.")
    func allowance() {
        let start = Date.now
        var allowance = CallAllowance(.init(), at: start)
        for _ in 0..<100 { #expect(allowance.take(at: start) == nil) }
        #expect(allowance.take(at: start) == 1)
        #expect(allowance.take(at: start + 0.599) == 1)
        #expect(allowance.take(at: start + 0.601) == nil)
        #expect(allowance.take(at: start + 0.601) == 1)
        for _ in 0..<100 { #expect(allowance.take(at: start + 3_600) == nil) }
        #expect(allowance.take(at: start + 3_600) == 1)
    }

    @Test("The wait that a limit names is over when the next call may come.")
    func allowanceWait() {
        let start = Date.now
        var allowance = CallAllowance(.init(perMinute: 6, burst: 1), at: start)
        #expect(allowance.take(at: start) == nil)
        #expect(allowance.take(at: start + 1) == 9)
        #expect(allowance.take(at: start + 10.001) == nil)
    }

    @Test("A body in drips is a pause and a byte each, and a flood comes piece by piece.")
    func steps() {
        let now = Date(timeIntervalSince1970: 1_795_471_800)
        let head = { (length: Int) in
            ReplyStep.send(
                Array(
                    "HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 22:10:00 GMT\r\ncontent-type: application/json\r\ncontent-length: \(length)\r\n\r\n"
                        .utf8
                )
            )
        }
        let drip = Behaviour(200, .text("ab")).with(\.delivery, .drip(.seconds(2)))
        #expect(
            ReplyComposer(drip, now: now).steps == [
                head(2), .wait(.seconds(2)), .send([0x61]), .wait(.seconds(2)), .send([0x62]),
            ]
        )
        let flood = ReplyComposer(Behaviour(200, .flood(mebibytes: 1, declared: true)), now: now).steps
        let pieces = flood.dropFirst(2)
        #expect(pieces.count == 16 && pieces.allSatisfy { $0 == .send([UInt8](repeating: 0x61, count: 65_536)) })
    }

    @Test("An empty body in drips is nothing but its head.")
    func emptyDrip() {
        let drip = Behaviour(204, .empty).with(\.delivery, .drip(.seconds(1)))
        #expect(ReplyComposer(drip, now: .now).steps.count == 1)
    }

    @Test("A token's reply says what its form says.")
    func tokenReply() {
        let grant = Grant(token: "t", scope: "s", lifetime: 60, refreshToken: "r")
        let now = Date(timeIntervalSince1970: 1_795_471_800.250)
        var form = TokenForm()
        let usual =
            #"{"access_token":"t","token_type":"bearer","scope":"s","expires_in":60,"#
            + #""expires_at":"2026-11-23T22:11:00.250Z"}"#
        #expect(String(decoding: TokenReply(form, grant, now: now).bytes, as: UTF8.self) == usual)
        form.expiresIn = .literal("20")
        form.expiresAt = .seconds(-3_600)
        form.hasRefreshToken = true
        form.scope = .absent
        let other =
            #"{"access_token":"t","token_type":"bearer","expires_in":20,"#
            + #""expires_at":"2026-11-23T21:10:00.250Z","refresh_token":"r"}"#
        #expect(String(decoding: TokenReply(form, grant, now: now).bytes, as: UTF8.self) == other)
    }

    @Test(
        "JSON is read as RFC 8259 has it.",
        arguments: [
            (
                #"{"a":[1,-2.5e+3,true,false,null,"é😀\n\/"]}"#,
                .object([
                    "a": .array([.number(1), .number(-2_500), .boolean(true), .boolean(false), .null, .string("é😀\n/")])
                ])
            ),
            (#" { "a" : { } , "b" : [ ] } "#, .object(["a": .object([:]), "b": .array([])])), (#""""#, .string("")),
            ("0", .number(0)), (#""\ud83d\ude00\u0001""#, .string("😀\u{1}")),
            (#"["a:,]\"", "\\"]"#, .array([.string("a:,]\""), .string("\\")])),
        ] as [(String, JSONValue)]
    )
    func json(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(json: Array(text.utf8)) == value)
    }

    @Test(
        "What is no JSON is refused.",
        arguments: [
            "", " ", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "{\"a\":1,\"\\u0061\":2}", "01", "1.", "1e", "-", "+1", ".5",
            "tru",
            "\"\n\"", "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"a", "1 2",
            "\u{FEFF}1", "nan", "[1 , ]", "{\"a\":1 ,\n}", "{\"b\":{\"a\":1,\"a\":1}}", "\"\0a\0\"\0",
            String(repeating: "[", count: 100_000),
        ]
    )
    func notJSON(_ text: String) {
        #expect(throws: StandInTenant.Fault.self) { try JSONValue(json: Array(text.utf8)) }
    }

    @Test("A string that isn't UTF-8 is refused.")
    func notUTF8() {
        #expect(throws: StandInTenant.Fault.self) { try JSONValue(json: [0x22, 0xC3, 0x28, 0x22]) }
    }
}
