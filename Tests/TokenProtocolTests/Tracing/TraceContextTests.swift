import Testing
import TokenProtocol

@Suite("Trace contexts")
struct TraceContextTests {
    private static let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private static func read(_ text: String) -> TraceContext? { TraceContext(Array(text.utf8).span) }

    @Test("A traceparent is read and written again.")
    func roundTrip() throws {
        let context = try #require(Self.read(Self.valid))
        #expect("\(context)" == Self.valid)
        #expect("\(context.traceID)" == "0af7651916cd43dd8448eb211c80319c")
        #expect("\(context.spanID)" == "b7ad6b7169203331")
        #expect(context.isSampled)
        let other = try #require(Self.read("00-0000000000000000000000000000000a-000000000000000b-00"))
        #expect("\(other)" == "00-0000000000000000000000000000000a-000000000000000b-00")
        #expect(!other.isSampled)
    }

    @Test("Another span of the trace has its own identity, and the rest of the context.")
    func continuation() throws {
        let context = try #require(Self.read(Self.valid))
        let continued = context.continued(by: SpanID(random: 0xff))
        #expect("\(continued)" == "00-0af7651916cd43dd8448eb211c80319c-00000000000000ff-01")
        #expect("\(context.continued(by: SpanID(random: 0)).spanID)" == "0000000000000001")
    }

    @Test(
        "A later version is read by its first four fields, and written as this version, with the known flag.",
        arguments: [
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "01"),
            ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-what-ever", "00"),
            ("fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-", "01"),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe", "00"),
        ]
    )
    func laterVersions(_ text: String, _ flags: String) throws {
        let context = try #require(Self.read(text))
        #expect("\(context)" == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-\(flags)")
    }

    @Test(
        "Anything else is not valid.",
        arguments: [
            "", "00", " \(valid)", "\(valid) ", "\(valid)-", "\(valid)-00", "ff\(valid.dropFirst(2))",
            "0g\(valid.dropFirst(2))", "01\(valid.dropFirst(2))0", "\(valid.dropLast())", valid.uppercased(),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\r-01",
            "00-0af7651916cd43dd8448eb211c8031é-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01", String(repeating: "0", count: 65_000),
        ]
    )
    func invalid(_ text: String) {
        #expect(Self.read(text) == nil)
    }

    @Test("No byte of a traceparent can be replaced by any other but a digit or, for the trace's flags, ignored.")
    func everyByte() {
        let bytes = Array(Self.valid.utf8)
        for position in bytes.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = bytes
                changed[position] = byte
                let isDigit = "0123456789abcdef".utf8.contains(byte)
                let isHyphen = [2, 35, 52].contains(position)
                let isValid = isHyphen ? byte == UInt8(ascii: "-") : isDigit
                let context = TraceContext(changed.span)
                #expect((context != nil) == isValid, "\(position): \(byte)")
            }
        }
    }
}
