import DaemonRuntime
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Prefetch files", .timeLimit(.minutes(1)))
struct SubjectFileTests {
    private func subjects(_ content: [UInt8]) throws(SubjectFile.Fault) -> [String] {
        try SubjectFile.subjects(in: content, "f")
    }

    private func fault(_ content: [UInt8]) -> String? {
        do throws(SubjectFile.Fault) {
            _ = try subjects(content)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("Each line is a subject, in the order of the file. Empty lines and comments are ignored.")
    func lines() throws {
        let text = "\u{FEFF}cid\n\n# a comment\r\nann\r\n#\n b#b \n\r\nzoë"
        #expect(try subjects(Array(text.utf8)) == ["cid", "ann", " b#b ", "zoë"])
        #expect(try subjects([]).isEmpty)
        #expect(try subjects(Array("\n\n".utf8)).isEmpty)
    }

    @Test("A line that can't be a subject is a fault with its number, and without any of its text.")
    func faults() {
        let long = Array(repeating: UInt8(ascii: "x"), count: 1_024)
        #expect(fault(long) == nil)
        #expect(fault(Array("a\n".utf8) + long + Array("x".utf8)) == "f:2: it is longer than 1024 bytes")
        #expect(fault(Array("a\n\nb\tc\n".utf8)) == "f:3: it has a control character")
        #expect(fault(Array("a\rb\n".utf8)) == "f:1: it has a control character")
        #expect(fault([0x61, 0x0A, 0xC3, 0x28]) == "f:2: it is not UTF-8")
    }

    @Test("A file may have 100,000 subjects.")
    func count() throws {
        let lines = Array(String(repeating: "a\n#\n", count: SubjectFile.maxSubjects).utf8)
        #expect(try subjects(lines).count == 100_000)
        #expect(fault(lines + Array("b".utf8)) == "f:200001: it has more than 100000 subjects")
    }

    @Test("A file that is missing, too large or none is a fault, and a pipe is not waited for.")
    func files() throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        func fault(_ name: String) -> String? {
            do throws(SubjectFile.Fault) {
                _ = try SubjectFile.read(directory.path(name))
                return nil
            } catch {
                return error.description.replacing(directory.path + "/", with: "")
            }
        }
        #expect(unsafe mkfifo(directory.path("pipe"), 0o600) == 0)
        try directory.write("", to: "large")
        #expect(unsafe truncate(directory.path("large"), off_t(SubjectFile.maxSize + 1)) == 0)
        #expect(fault("none") == "none: it doesn't exist")
        #expect(fault("pipe") == "pipe: it is no regular file")
        #expect(fault(".") == ".: it is no regular file")
        #expect(fault("large") == "large: it is larger than 64 MiB")
    }
}
