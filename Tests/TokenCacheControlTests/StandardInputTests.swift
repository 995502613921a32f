import Foundation
import SystemPackage
import TestSupport
import Testing
import TokenCacheClient
import tokencachectl

@Suite("Standard input, line by line")
struct StandardInputTests {
    /// Writes bytes to a file and reads its lines until the end or an error.
    private func read(_ bytes: [UInt8], longestLine: Int = 1_024) throws -> (lines: [String], error: TokenCacheError?) {
        let directory = try TemporaryDirectory()
        let file = URL(filePath: directory.path("input"))
        try Data(bytes).write(to: file)
        let descriptor = try FileDescriptor.open(FilePath(file.path), .readOnly)
        defer { try? descriptor.close() }
        var (input, lines) = (StandardInput(descriptor, longestLine: longestLine), [String]())
        do throws(TokenCacheError) {
            while let line = try input.next() { lines.append(line) }
        } catch {
            return (lines, error)
        }
        return (lines, nil)
    }

    @Test("Lines end with LF or CR and LF, and the last one with the end.")
    func lines() throws {
        #expect(try read(Array("ann\r\n\nbob|ü\nlast".utf8)).lines == ["ann", "", "bob|ü", "last"])
        #expect(try read([]).lines == [])
        let many = (0..<10_000).map { "user-\($0)" }
        #expect(try read(Array(many.joined(separator: "\n").utf8)).lines == many)
    }

    @Test(
        "The longest line is allowed with every end, and one byte more is not.",
        arguments: ["", "\n", "\r\n", "\nb"]
    )
    func bounds(end: String) throws {
        for length in [5, 20_000] {
            let longest = String(repeating: "a", count: length)
            #expect(try read(Array("\(longest)\(end)".utf8), longestLine: length).lines.first == longest)
            let longer = try read(Array("\(longest)a\(end)".utf8), longestLine: length)
            #expect(longer.error?.message == "line 1 of standard input has more than \(length) bytes")
        }
    }

    @Test("A line that is too long or not UTF-8 is an error with its number.")
    func faults() throws {
        let wrong = try read(Array("ann\n".utf8) + [0xFF, 0x0A])
        #expect(wrong.lines == ["ann"] && wrong.error?.message == "line 2 of standard input is not UTF-8")
        let long = try read(Array("ann\nbob\n".utf8) + [UInt8](repeating: 0x61, count: 200_000))
        #expect(
            long.error?.message == "line 3 of standard input has more than 1024 bytes"
                && long.error?.code == .invalidRequest
        )
    }
}
