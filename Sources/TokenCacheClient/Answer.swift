#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The promise of an operation.
protocol Answer: Decodable {}

extension Answer {
    /// Reads the daemon's reply, a JSON object that is no error.
    init(reply: Data, to operation: String) throws(TokenCacheError) {
        // The decoder's own error would show what it read.
        guard let answer = try? JSONDecoder().decode(Self.self, from: reply) else {
            throw TokenCacheError(.badReply, "the daemon's reply is none to '\(operation)'")
        }
        self = answer
    }
}

/// The longest time that is taken for one, in seconds: 30 days.
private let longestPause = 2_592_000.0

extension KeyedDecodingContainer {
    /// A time that somebody can wait for, in seconds; nil for anything else.
    func pause(forKey key: Key) -> Double? {
        guard let seconds = try? decode(Double.self, forKey: key) else { return nil }
        return (0...longestPause).contains(seconds) ? seconds : nil
    }
}
