import DaemonConfiguration

/// Reads a tenant's prefetch file: subjects, one a line.
package enum SubjectFile {
    /// The most subjects.
    package static let maxSubjects = 100_000
    /// The longest subject in bytes.
    package static let maxSubjectSize = 1_024
    /// The largest file in bytes.
    package static let maxSize = 64 * 1_048_576

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// The reason why a file is not used.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// The file.
        package let path: String
        /// The line, from 1, or nil for a fault of the file itself.
        package let line: Int?
        /// A sentence with the file or the subject of the line as "it".
        package let message: String

        /// The fault as `file:line: message`, without any of the subject.
        package var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(message)" }
    }

    /// Reads and checks a file.
    package static func read(_ path: String) throws(Fault) -> [String] {
        let content: [UInt8]
        do {
            content = try PlainFile.read(path, upTo: maxSize)
        } catch {
            throw Fault(path: path, line: nil, message: "\(error)")
        }
        return try subjects(in: content, path)
    }

    /// Returns the subjects of a file's content, in its order.
    package static func subjects(in content: [UInt8], _ path: String) throws(Fault) -> [String] {
        var subjects: [String] = []
        var number = 0
        let text = content.starts(with: byteOrderMark) ? content.dropFirst(byteOrderMark.count) : content[...]
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            guard subjects.count < maxSubjects else {
                throw Fault(path: path, line: number, message: "it has more than \(maxSubjects) subjects")
            }
            subjects.append(try subject(line, path, number))
        }
        return subjects
    }

    private static func subject(_ line: ArraySlice<UInt8>, _ path: String, _ number: Int) throws(Fault) -> String {
        guard line.count <= maxSubjectSize else {
            throw Fault(path: path, line: number, message: "it is longer than \(maxSubjectSize) bytes")
        }
        guard line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw Fault(path: path, line: number, message: "it has a control character")
        }
        guard let subject = String(validating: line, as: UTF8.self) else {
            throw Fault(path: path, line: number, message: "it is not UTF-8")
        }
        return subject
    }
}
