import Glibc

/// Finds the ends of replies in a stream of bytes, and tells errors from tokens by their beginning.
///
/// A reply with a token begins with the member `access_token`. The bytes of a token are not looked at.
package struct ReplyScanner: Sendable {
    /// A reply.
    package enum Reply: Sendable, Equatable {
        case token
        /// An error with its code, or an empty text for a line that is neither.
        case error(String)
    }

    private static let tokenStart = Array(#"{"access_token":""#.utf8)
    private static let errorStart = Array(#""error":""#.utf8)
    /// The bytes of a line that are kept for the error's code: longer than any code with what stands before it.
    private static let headLength = 192

    /// The beginning of a line whose end has not come yet.
    private var head: [UInt8] = []
    /// True if the line that has not ended is known to hold a token.
    private var isToken = false

    /// Creates a scanner at the beginning of a line.
    package init() { head.reserveCapacity(Self.headLength) }

    /// Scans bytes, and calls a function for each line that ends in them.
    package mutating func scan(_ bytes: UnsafeRawBufferPointer, _ found: (Reply) -> Void) {
        guard let base = bytes.baseAddress else { return }
        var start = 0
        while start < bytes.count {
            let rest = bytes.count - start
            guard let end = unsafe memchr(base + start, 0x0A, rest) else {
                return unsafe keep(UnsafeRawBufferPointer(start: base + start, count: rest))
            }
            let length = unsafe UnsafeRawPointer(end) - (base + start)
            found(unsafe finish(UnsafeRawBufferPointer(start: base + start, count: length)))
            start += length + 1
        }
    }

    private mutating func keep(_ part: UnsafeRawBufferPointer) {
        guard !isToken, head.count < Self.headLength else { return }
        unsafe head.append(contentsOf: part.prefix(Self.headLength - head.count))
        isToken = head.starts(with: Self.tokenStart)
    }

    private mutating func finish(_ part: UnsafeRawBufferPointer) -> Reply {
        if head.isEmpty, unsafe Self.isToken(part) { return .token }
        unsafe keep(part)
        defer {
            head.removeAll(keepingCapacity: true)
            isToken = false
        }
        return isToken ? .token : .error(Self.code(head))
    }

    private static func isToken(_ line: UnsafeRawBufferPointer) -> Bool {
        guard line.count >= tokenStart.count, let base = line.baseAddress else { return false }
        return unsafe memcmp(base, tokenStart, tokenStart.count) == 0
    }

    private static func code(_ head: [UInt8]) -> String {
        guard let start = head.firstRange(of: errorStart) else { return "" }
        return String(decoding: head[start.upperBound...].prefix { $0 != 0x22 }, as: UTF8.self)
    }
}
