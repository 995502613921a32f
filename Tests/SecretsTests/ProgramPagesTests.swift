import Foundation
import Secrets
import Testing

@Suite("The pages of the program")
struct ProgramPagesTests {
    // The figure is one of the whole process, so the test has a process of its own.
    @Test("Most are unmapped, and code and constants are there as before.")
    func unmap() async {
        await #expect(processExitsWith: .success) {
            let text = Set((0..<100).map { "constant \($0)" })
            let before = try Self.residentKiB()
            ProgramPages.unmap()
            let after = try Self.residentKiB()
            #expect(after < before / 2, "\(before) KiB became \(after) KiB")
            #expect(text == Set((0..<100).map { "constant \($0)" }))
        }
    }

    /// The resident pages that files back.
    private static func residentKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
        return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
    }
}
