#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A value that the daemon's reply to one operation decodes to.
protocol OperationReply: Decodable {}

extension OperationReply {
    /// Decodes the daemon's reply, a JSON object that is not an error.
    ///
    /// - Throws: ``TokenCacheError/Code/badReply``, without the decoder's own error, which would show what it read.
    init(reply: Data, to operation: String) throws(TokenCacheError) {
        guard let value = try? JSONDecoder().decode(Self.self, from: reply) else {
            throw TokenCacheError(
                .badReply,
                "the daemon's reply is not one to '\(operation)'",
                requestState: .answered
            )
        }
        self = value
    }
}

/// The longest delay that a reply is believed to ask for, in seconds: 30 days.
private let longestDelay = 2_592_000.0

extension KeyedDecodingContainer {
    /// The delay of a member in seconds, or nil if the member is missing, malformed or out of range.
    func delay(forKey key: Key) -> Duration? {
        guard let seconds = try? decode(Double.self, forKey: key) else { return nil }
        return (0...longestDelay).contains(seconds) ? .seconds(seconds) : nil
    }
}
