import SafeText
package import TokenCacheClient

#if canImport(FoundationEssentials)
package import FoundationEssentials
#else
package import Foundation
#endif

/// A reply of the daemon.
package struct Reply: Sendable {
    private let line: Data

    /// Creates a reply from the line that the daemon sent.
    package init(_ line: Data) { self.line = line }

    /// The reply as it was received, with escapes in place of characters that could control a terminal.
    package var json: String { String(decoding: line, as: UTF8.self).printableJSON }

    /// Decodes the reply.
    ///
    /// - Throws: `badReply`. The decoder's own error could show a token.
    package func decode<Value: Decodable>(_ type: Value.Type) throws(TokenCacheError) -> Value {
        guard let value = try? JSONDecoder().decode(type, from: line) else {
            throw TokenCacheError(.badReply, "the daemon's reply is malformed")
        }
        return value
    }
}
