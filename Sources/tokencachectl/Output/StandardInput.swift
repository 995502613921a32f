package import SystemPackage
package import TokenCacheClient

/// Reads standard input line by line.
package struct StandardInput {
    private static let chunk = 16_384

    private let descriptor: FileDescriptor
    /// The longest line in bytes, without its end.
    private let longestLine: Int
    private var bytes: [UInt8] = []
    private var isAtEnd = false
    private var number = 0

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - descriptor: The file to read.
    ///   - longestLine: The longest line in bytes.
    package init(_ descriptor: FileDescriptor = .standardInput, longestLine: Int) {
        self.descriptor = descriptor
        self.longestLine = longestLine
    }

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
            // An end of two bytes may follow.
            guard bytes.count <= longestLine + 1 else { throw tooLong }
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
        let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        guard line.count <= longestLine else { throw tooLong }
        guard let text = String(validating: line, as: UTF8.self) else { throw fault("is not UTF-8") }
        number += 1
        return text
    }

    private var tooLong: TokenCacheError { fault("has more than \(longestLine) bytes") }

    private func fault(_ what: String) -> TokenCacheError {
        TokenCacheError(.invalidRequest, "line \(number + 1) of standard input \(what)")
    }
}
