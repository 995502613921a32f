import FleetProtocol
import Testing

@Suite("Replies of the engine")
struct RespParserTests {
    private static func read(
        _ text: String,
        _ limits: RespLimits = RespLimits(),
        every length: Int = 1 << 20
    ) throws(RespFault) -> [RespValue] {
        var parser = RespParser(limits: limits)
        var values: [RespValue] = []
        var rest = Array(text.utf8)[...]
        repeat {
            parser.append(rest.prefix(length))
            rest = rest.dropFirst(length)
            while let value = try parser.next() { values.append(value) }
        } while !rest.isEmpty
        return values
    }

    static let replies: [(String, RespValue)] = [
        ("+OK\r\n", .simple("OK")),
        ("+\r\n", .simple("")),
        ("-NOSCRIPT No matching script.\r\n", .error("NOSCRIPT No matching script.")),
        (":42\r\n", .integer(42)),
        (":-9223372036854775808\r\n", .integer(.min)),
        ("$5\r\na\r\nbc\r\n", .bulk(Array("a\r\nbc".utf8))),
        ("$0\r\n\r\n", .bulk([])),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("_\r\n", .null),
        ("*0\r\n", .array([])),
        ("*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", .array([.integer(1), .array([.bulk([120])])])),
        ("*1\r\n*1\r\n*0\r\n", .array([.array([.array([])])])),
        ("%1\r\n+a\r\n~1\r\n#t\r\n", .map([.simple("a"), .set([.boolean(true)])])),
        (">2\r\n+message\r\n#f\r\n", .push([.simple("message"), .boolean(false)])),
        (",1.5\r\n", .double(1.5)),
        (",-inf\r\n", .double(-.infinity)),
        ("(12345678901234567890\r\n", .bigNumber("12345678901234567890")),
        ("=7\r\ntxt:abc\r\n", .bulk(Array("abc".utf8))),
        ("!9\r\nERR wrong\r\n", .error("ERR wrong")),
        ("|1\r\n+ttl\r\n:3\r\n:1\r\n", .integer(1)),
        ("*2\r\n|0\r\n:1\r\n|1\r\n+a\r\n*0\r\n:2\r\n", .array([.integer(1), .integer(2)])),
    ]

    @Test("A reply is read.", arguments: replies)
    func reads(text: String, value: RespValue) throws { #expect(try Self.read(text) == [value]) }

    @Test("Replies are read from pieces of any length.", arguments: 1..<24)
    func pieces(length: Int) throws {
        let text = Self.replies.map(\.0).joined()
        #expect(try Self.read(text, every: length) == Self.replies.map(\.1))
    }

    @Test("Each reply that is cut anywhere is not complete.", arguments: replies)
    func incomplete(text: String, value: RespValue) throws {
        for count in 0..<text.utf8.count {
            #expect(try Self.read(String(decoding: Array(text.utf8)[..<count], as: UTF8.self)) == [])
        }
    }

    @Test(
        "Anything else is a fault.",
        arguments: [
            "\r\n", "OK\r\n", "+a\nb\r\n", "+a\rb\r\n", ":\r\n", ":1a\r\n", ":9223372036854775808\r\n", "$-2\r\n",
            "$a\r\n",
            "$1\r\nab\r\n", "$?\r\n", "*?\r\n", "#x\r\n", "#\r\n", "_x\r\n", ",x\r\n", "(\r\n", "=3\r\nabc\r\n",
            "*1\n:1\r\n",
        ]
    )
    func malformed(text: String) {
        #expect(throws: RespFault.malformed) { try Self.read(text) }
        #expect(throws: RespFault.malformed) { try Self.read(text, every: 1) }
    }

    @Test("A fault stays, whatever follows.")
    func faultStays() throws {
        var parser = RespParser()
        parser.append("?".utf8)
        parser.append("\r\n".utf8)
        #expect(throws: RespFault.malformed) { try parser.next() }
        parser.append("+OK\r\n".utf8)
        #expect(throws: RespFault.malformed) { try parser.next() }
        #expect(parser.pending == 0)
    }

    @Test(
        "A value that is too large is a fault before it has come.",
        arguments: [
            "$101\r\n", "*34\r\n", "%34\r\n", "$60\r\n" + String(repeating: "a", count: 60) + "\r\n$60\r\n",
            "*8\r\n" + String(repeating: "+0123456789abcdef\r\n", count: 5),
        ]
    )
    func tooLarge(text: String) throws {
        let limits = RespLimits(size: 100, line: 20, depth: 2)
        #expect(throws: RespFault.tooLarge) { try Self.read("*2\r\n" + text, limits) }
    }

    @Test("A line that is too long is a fault before its end has come.")
    func longLine() throws {
        let limits = RespLimits(size: 100, line: 20, depth: 2)
        let line = "+" + String(repeating: "a", count: 19)
        #expect(try Self.read(line + "\r\n", limits) == [.simple(String(repeating: "a", count: 19))])
        #expect(throws: RespFault.tooLarge) { try Self.read(line + "a", limits) }
        #expect(throws: RespFault.tooLarge) { try Self.read(line + "a\r\n", limits) }
    }

    @Test("Each value has the whole size to itself.")
    func sizes() throws {
        let limits = RespLimits(size: 20, line: 20, depth: 2)
        let text = String(repeating: "$10\r\n0123456789\r\n", count: 50)
        #expect(try Self.read(text, limits).count == 50)
    }

    @Test("Arrays are nested as deep as allowed.")
    func depth() throws {
        let limits = RespLimits(size: 100, line: 20, depth: 2)
        #expect(try Self.read("*1\r\n*1\r\n:1\r\n", limits) == [.array([.array([.integer(1)])])])
        #expect(throws: RespFault.tooDeep) { try Self.read("*1\r\n*1\r\n*1\r\n", limits) }
    }

    @Test("A command is an array of strings.")
    func command() throws {
        var command = EngineCommand("SET", "k")
        command.append([0, 13, 10])
        command.append(-7)
        #expect(
            String(decoding: command.encoded, as: UTF8.self)
                == "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\n\0\r\n\r\n$2\r\n-7\r\n"
        )
    }

    @Test("Values tell what they are.")
    func views() {
        #expect(RespValue.bulk(Array("-12".utf8)).number == -12)
        #expect(RespValue.bulk(Array("1 ".utf8)).number == nil)
        #expect(RespValue.bulk([0xFF]).text == nil)
        #expect(RespValue.error("MOVED 1 a:1").errorCode == "MOVED")
        #expect(RespValue.array([.null]).pairs == nil)
        #expect(RespValue.array([.simple("a"), .integer(1)]).pairs?.map(\.value) == [.integer(1)])
        #expect(RespValue.map([]).elements == nil)
    }
}
