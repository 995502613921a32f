package import SystemPackage
package import TokenCacheClient

/// Reads standard input line by line.
package struct StandardInput {
    /// The longest line in bytes: that of a request, beyond which nothing could be sent.
    private static let longestLine = 65_536
    private static let chunk = 16_384

    private let descriptor: FileDescriptor
    private var bytes: [UInt8] = []
    private var isAtEnd = false
    private var number = 0

    /// Creates a reader.
    package init(_ descriptor: FileDescriptor = .standardInput) { self.descriptor = descriptor }

    /// Returns the next line without its end, or nil after the last one.
    ///
    /// - Throws: `invalidRequest`, with the line's number, if the line is too long or not UTF-8 or can't be read.
    package mutating func next() throws(TokenCacheError) -> String? {
        while true {
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                let line = bytes[..<end]
                defer { bytes.removeSubrange(...end) }
                return try text(line)
            }
            guard bytes.count <= Self.longestLine else { throw fault("is too long") }
            guard !isAtEnd else {
                defer { bytes = [] }
                return bytes.isEmpty ? nil : try text(bytes[...])
            }
            try fill()
        }
    }

    private mutating func fill() throws(TokenCacheError) {
        var chunk = [UInt8](repeating: 0, count: Self.chunk)
        let count: Int
        do {
            count = try unsafe chunk.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
        } catch {
            throw fault("can't be read: \(error)")
        }
        isAtEnd = count == 0
        bytes += chunk.prefix(count)
    }

    private mutating func text(_ line: ArraySlice<UInt8>) throws(TokenCacheError) -> String {
        number += 1
        let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        guard let text = String(validating: line, as: UTF8.self) else {
            number -= 1
            throw fault("is not UTF-8")
        }
        return text
    }

    private func fault(_ what: String) -> TokenCacheError {
        TokenCacheError(.invalidRequest, "line \(number + 1) of standard input \(what)")
    }
}
