import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The encoded part of a request that is the same each time it is sent.
///
/// Its id and the time that is left are added then.
struct RequestLine {
    /// The longest line in bytes.
    ///
    /// It leaves 64 bytes for id and timeout below the limit of the daemon, whose error about a longer line would not name
    /// the call.
    static let longest = 65_536 - 64
    /// The range that the daemon allows.
    private static let timeouts = Duration.zero...Duration.seconds(300)

    /// The operations whose requests have a `timeout`.
    private static let operationsWithTimeout: Set = ["token", "provision"]

    /// The JSON object without its opening brace.
    private let members: Data
    private let hasTimeout: Bool
    /// The time that the caller waits.
    let timeout: TimeAmount

    init(_ request: TokenCacheClient.Request) throws(TokenCacheError) {
        guard Self.timeouts.contains(request.timeout) else {
            throw TokenCacheError(.invalidRequest, "'timeout' must be from 0 to 300 seconds")
        }
        let text = try Self.encode(request)
        guard text.count <= Self.longest else {
            throw TokenCacheError(.invalidRequest, "the request is longer than the \(Self.longest) bytes of a line")
        }
        members = text.dropFirst()
        hasTimeout = Self.operationsWithTimeout.contains(request.operation)
        timeout = TimeAmount(request.timeout)
    }

    /// The JSON of a value, as it is sent.
    static func encode(_ value: some Encodable) throws(TokenCacheError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        do {
            return try encoder.encode(value)
        } catch {
            throw TokenCacheError(.invalidRequest, "the request can't be written as JSON", cause: error)
        }
    }

    /// Writes the line with its end.
    ///
    /// A request for a token or a user tells the daemon the time that is left.
    func write(id: Int, left: TimeAmount, into buffer: inout ByteBuffer) {
        buffer.writeString("{\"id\":\(id),")
        if hasTimeout {
            let milliseconds = (max(0, left.nanoseconds) + 999_999) / 1_000_000
            buffer.writeString("\"timeout\":\(Double(milliseconds) / 1_000),")
        }
        buffer.writeBytes(members)
        buffer.writeInteger(UInt8(ascii: "\n"))
    }
}
