import Testing
import TokenProtocol

@Suite("The traces of requests")
struct TraceTests {
    private static let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test(
        "Operations that can call a tenant have a trace.",
        arguments: [
            #""op":"token","subject":"a""#, #""op":"prefetch","subjects":["a"]"#, #""op":"revoke","subject":"a""#,
        ]
    )
    func read(members: String) {
        let request = parse(#"{\#(members),"traceparent":"\#(Self.traceparent)"}"#).request
        #expect(request?.trace.map { "\($0)" } == Self.traceparent)
        let escaped = parse(#"{\#(members),"\u0074raceparent":"\u0030\#(Self.traceparent.dropFirst())"}"#).request
        #expect(escaped?.trace.map { "\($0)" } == Self.traceparent)
        #expect(parse("{\(members)}").request != nil)
        #expect(parse("{\(members)}").request?.trace == nil)
    }

    @Test(
        "A text that is no valid traceparent is ignored.",
        arguments: [
            "", "00", "\(traceparent)\\r\\nx: y", "\\u0000", "é\(traceparent)", traceparent.uppercased(),
            String(repeating: "0", count: 65_000),
        ]
    )
    func ignored(text: String) {
        let request = parse(#"{"op":"token","subject":"a","traceparent":"\#(text)"}"#).request
        #expect(request != nil)
        #expect(request?.trace == nil)
    }

    @Test("A value of another type is rejected.", arguments: ["1", "null", "true", "{}", #"["\#(traceparent)"]"#])
    func wrongType(json: String) {
        let line = #"{"op":"token","subject":"a","traceparent":\#(json)}"#
        #expect(parse(line).error == ErrorReply(.invalidRequest, "'traceparent' must be a string"))
    }

    @Test("Two traceparents are rejected, also if they are equal.")
    func twice() {
        let member = #""traceparent":"\#(Self.traceparent)""#
        let line = #"{"op":"token","subject":"a",\#(member),\#(member)}"#
        #expect(parse(line).error == ErrorReply(.invalidRequest, "a member of the object comes twice"))
    }

    @Test("Other operations ignore the member, as they ignore all that they don't use.")
    func others() {
        #expect(parse(#"{"op":"hello","traceparent":1}"#).request == Request(operation: .hello))
        let evict = parse(#"{"op":"evict","subject":"a","traceparent":"\#(Self.traceparent)"}"#, isAdmin: true)
        #expect(evict.request != nil)
        #expect(evict.request?.trace == nil)
    }
}
