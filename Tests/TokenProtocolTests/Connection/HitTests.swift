import Secrets
import Testing
import TokenProtocol

/// A lookup that records its arguments and returns the same token for every user except `nobody`.
private final class RecordingLookup {
    private(set) var asked: [String] = []
    let reply: TokenReply

    init() {
        let secret = unsafe Array("abc".utf8).withUnsafeBytes { unsafe SecretBytes(copying: $0) }
        let token = EncodedToken(onHeap: AccessToken(secret), scope: "s", expiresAt: "2026-11-23T22:10:00Z")
        reply = TokenReply(token: token, expiresIn: 7, source: .cache)
    }

    func exchange() -> Exchange {
        Exchange { [self] field, user, tenant, scope, minTTL, id, output in
            let texts = [text(user), text(tenant), text(scope)]
            asked.append(([field.memberName] + texts + [minTTL.map { "\($0)" } ?? "-"]).joined(separator: "|"))
            guard text(user) != "nobody" else { return false }
            ReplyEncoder.encode(reply, id: id, into: &output)
            return true
        }
    }

    private func text(_ bytes: borrowing Span<UInt8>) -> String {
        unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

@Suite("Hits")
struct HitTests {
    private static let body =
        #""access_token":"abc","token_type":"Bearer","expires_in":7,"expires_at":"2026-11-23T22:10:00Z","#
        + #""scope":"s","source":"cache"}"#

    @Test("A hit is answered without a request, and the lookup gets the members as they are written.")
    func answers() {
        let lookup = RecordingLookup()
        let exchange = lookup.exchange()
        exchange.receive(#"{"op":"token","subject":"ann"}"# + "\n")
        exchange.receive(
            #"{ "tenant":"t", "user_id":"ü", "op":"token", "scope":"a b", "min_ttl":5, "id":"x" }"# + "\r\n"
        )
        exchange.receive(#"{"op":"token","subject":"ann","timeout":3,"no_cache":false,"unknown":[1],"id":9}"# + "\n")
        #expect(exchange.requests.isEmpty)
        #expect(lookup.asked == ["subject|ann|||-", "user_id|ü|t|a b|5.0 seconds", "subject|ann|||-"])
        #expect(exchange.sent() == ["{" + Self.body, #"{"id":"x","# + Self.body, #"{"id":9,"# + Self.body])
    }

    @Test(
        "A request in a trace is answered like any other, also if its traceparent is not valid.",
        arguments: ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", "\\u0000", "é"]
    )
    func inTrace(_ traceparent: String) {
        let exchange = RecordingLookup().exchange()
        exchange.receive(#"{"op":"token","subject":"ann","traceparent":"\#(traceparent)"}"# + "\n")
        #expect(exchange.requests.isEmpty)
        #expect(exchange.sent() == ["{" + Self.body])
    }

    @Test(
        "A line in an unusual form is parsed in full.",
        arguments: [
            #"{"op":"token","subject":"nobody"}"#, #"{"op":"token","subject":"a\u006en"}"#,
            #"{"op":"token","subject":"ann","no_cache":true}"#, #"{"op":"token","subject":"ann","tenant":"\u0074"}"#,
            #"{"op":"token","subject":"ann","scope":"\u0061"}"#, #"{"op":"revoke","subject":"ann"}"#,
            #"{"op":"\u0074oken","subject":"ann"}"#, #"{"op":"token","subject":"ann","tenant":""}"#,
        ]
    )
    func isParsed(line: String) {
        let exchange = RecordingLookup().exchange()
        exchange.receive(line + "\n")
        #expect(exchange.requests.count == 1)
        #expect(exchange.output == 0)
    }

    @Test(
        "An invalid line is rejected, even if there is a token.",
        arguments: [
            #"{"op":"token","subject":"ann","min_ttl":-1}"#, #"{"op":"token","subject":"ann","timeout":301}"#,
            #"{"op":"token","subject":"ann","user_id":"ann"}"#, #"{"op":"token","subject":"ann","no_cache":0}"#,
            #"{"op":"token","subject":"ann","scope":""}"#, #"{"op":"token","subject":"ann","tenant":7}"#,
            #"{"op":"token","subject":""}"#, #"{"op":"token","subject":"ann","id":{}}"#, #"{"op":"token"}"#,
            #"{"op":"token","subject":"ann","subject":"ann"}"#, #"{"op":"token","subject":"ann"} x"#,
            #"{"op":"token","subject":"ann","traceparent":7}"#, #"{"op":"token","subject":"ann","traceparent":null}"#,
            #"{"op":"token","subject":"ann","traceparent":"","traceparent":""}"#,
        ]
    )
    func isRejected(line: String) {
        let exchange = RecordingLookup().exchange()
        exchange.receive(line + "\n")
        #expect(exchange.rejected == [.invalidRequest])
        #expect(exchange.sent().allSatisfy { !$0.contains("access_token") })
    }

    @Test("A hit without an id waits for earlier replies, one with an id does not.")
    func keepsOrder() {
        let lookup = RecordingLookup()
        let exchange = lookup.exchange()
        exchange.receive(#"{"op":"token","subject":"nobody"}"# + "\n")
        exchange.receive(#"{"op":"token","subject":"ann"}"# + "\n" + #"{"op":"token","subject":"ann","id":1}"# + "\n")
        #expect(exchange.sent() == [#"{"id":1,"# + Self.body])
        exchange.deliver(.token(lookup.reply), to: exchange.requests[1].ticket)
        #expect(exchange.sent() == [])
        exchange.deliver(.evicted, to: exchange.requests[0].ticket)
        #expect(exchange.sent() == [#"{"evicted":true}"#, "{" + Self.body])
    }

    @Test("In a drain there are no hits.")
    func drains() {
        let exchange = RecordingLookup().exchange()
        exchange.drain()
        exchange.receive(#"{"op":"token","subject":"ann"}"# + "\n")
        #expect(exchange.rejected == [.shuttingDown])
    }

    @Test("Output is sent when it reaches the agreed size.")
    func sendsEarly() {
        let exchange = RecordingLookup().exchange()
        exchange.receive(String(repeating: #"{"op":"token","subject":"ann"}"# + "\n", count: 2_000))
        #expect(exchange.largestOutput >= 64 * 1_024)
        #expect(exchange.largestOutput < 65 * 1_024)
        #expect(exchange.sent().count == 2_000)
    }
}
