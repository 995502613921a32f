import LoadGenerator
import Testing

@Suite("The generator's look at replies")
struct ReplyScannerTests {
    private let text = """
        {"access_token":"abc","token_type":"Bearer"}
        {"error":"rate_limited","error_description":"wait"}
        {"id":1,"error":"denied"}
        nothing
        {"access_token":"a long token"}

        """
    private let replies: [ReplyScanner.Reply] = [
        .token, .error("rate_limited"), .error("denied"), .error(""), .token,
    ]

    private func scan(_ pieces: [ArraySlice<UInt8>]) -> [ReplyScanner.Reply] {
        var scanner = ReplyScanner()
        var found: [ReplyScanner.Reply] = []
        for piece in pieces { unsafe piece.withUnsafeBytes { unsafe scanner.scan($0) { found.append($0) } } }
        return found
    }

    @Test("Tokens, errors and other lines are told apart, wherever the bytes are split.")
    func anySplit() {
        let bytes = Array(text.utf8)
        #expect(scan([bytes[...]]) == replies)
        for first in bytes.indices {
            #expect(scan([bytes[..<first], bytes[first...]]) == replies)
        }
        #expect(scan(bytes.indices.map { bytes[$0...$0] }) == replies)
    }

    @Test("Of a line without an end, little is kept, and a code that is cut off has its beginning.")
    func longLine() {
        let line = Array(#"{"error":""#.utf8) + [UInt8](repeating: 0x61, count: 100_000)
        let found = scan([line[...], line[...], [0x0A]])
        guard case .error(let code)? = found.first else {
            Issue.record("the line should be an error")
            return
        }
        #expect(found.count == 1)
        #expect(code.utf8.count < 200 && code.hasPrefix("aaa"))
    }
}
