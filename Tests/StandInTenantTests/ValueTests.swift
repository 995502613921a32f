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
        #expect(WallTime(milliseconds: milliseconds).iso8601 == iso8601)
        #expect(WallTime(milliseconds: milliseconds).httpDate == http)
    }

    @Test("A limit of 100 a minute lets 100 through at once, and then one every 600 ms.")
    func allowance() {
        let start = ContinuousClock.now
        var allowance = CallAllowance(.init(), at: start)
        for _ in 0..<100 { #expect(allowance.take(at: start) == nil) }
        #expect(allowance.take(at: start) == 1)
        #expect(allowance.take(at: start + .milliseconds(599)) == 1)
        #expect(allowance.take(at: start + .milliseconds(601)) == nil)
        #expect(allowance.take(at: start + .milliseconds(601)) == 1)
        for _ in 0..<100 { #expect(allowance.take(at: start + .seconds(3_600)) == nil) }
        #expect(allowance.take(at: start + .seconds(3_600)) == 1)
    }

    @Test("The wait that a limit names is over when the next call may come.")
    func allowanceWait() {
        let start = ContinuousClock.now
        var allowance = CallAllowance(.init(perMinute: 6, burst: 1), at: start)
        #expect(allowance.take(at: start) == nil)
        #expect(allowance.take(at: start + .seconds(1)) == 9)
        #expect(allowance.take(at: start + .milliseconds(10_001)) == nil)
    }

    @Test("A script's steps come one after another, long ones piece by piece.")
    func cursor() {
        let script = ReplyScript([
            .send([1]), .wait(.seconds(1)), .drip([2, 3], pause: .seconds(2)), .flood([4], times: 2), .close,
        ])
        var cursor = ScriptCursor(script)
        let actions = (0..<11).map { _ in cursor.next() }
        #expect(
            actions == [
                .write([1]), .wait(.seconds(1)), .wait(.seconds(2)), .write([2]), .wait(.seconds(2)), .write([3]),
                .write([4]), .write([4]), .close, .finish, .finish,
            ]
        )
    }

    @Test("An empty drip and an empty flood are nothing.")
    func emptySteps() {
        var cursor = ScriptCursor(ReplyScript([.drip([], pause: .seconds(1)), .flood([1], times: 0), .reset]))
        #expect(cursor.next() == .reset)
    }

    @Test("A token's reply says what its form says.")
    func tokenReply() {
        let grant = Grant(token: "t", scope: "s", lifetime: 60, refreshToken: "r")
        let now = WallTime(milliseconds: 1_795_471_800_250)
        var form = TokenForm()
        let usual =
            #"{"access_token":"t","token_type":"bearer","scope":"s","expires_in":60,"#
            + #""expires_at":"2026-11-23T22:11:00.250Z"}"#
        #expect(String(decoding: TokenReply(form, grant, now: now).bytes, as: UTF8.self) == usual)
        form.expiresIn = .seconds(20)
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
            (#"{"a":[1,-2.5e+3,true,false,null,"é😀\n\/"]}"#, #"{"a":[1,-2.5e+3,true,false,null,"é😀\n/"]}"#),
            (#" { "a" : { } , "b" : [ ] } "#, #"{"a":{},"b":[]}"#), (#""""#, #""""#), ("0", "0"),
            (#""\ud83d\ude00\u0001""#, "\"😀\\u0001\""),
        ]
    )
    func json(_ text: String, _ encoded: String) throws {
        #expect(try JSONReader.value(of: Array(text.utf8)).encoded == encoded)
    }

    @Test(
        "What is no JSON is refused.",
        arguments: [
            "", " ", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "{\"a\":1,\"\\u0061\":2}", "01", "1.", "1e", "-", "+1", ".5",
            "tru",
            "\"\n\"", "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"a", "1 2",
            "\u{FEFF}1", "nan",
            String(repeating: "[", count: 100_000),
        ]
    )
    func notJSON(_ text: String) {
        #expect(throws: JSONFault.self) { try JSONReader.value(of: Array(text.utf8)) }
    }

    @Test("A string that isn't UTF-8 is refused.")
    func notUTF8() {
        #expect(throws: JSONFault.self) { try JSONReader.value(of: [0x22, 0xC3, 0x28, 0x22]) }
    }
}
