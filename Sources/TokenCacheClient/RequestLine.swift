import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A request as it is sent, but for what each sending has of its own: its id, and what is left of a token's time.
struct RequestLine {
    /// In bytes; id and time have room beside it in what the daemon takes, which refuses a longer line without naming
    /// the call.
    static let longest = 65_536 - 64
    /// Where a request doesn't say, in seconds: what the daemon itself would take.
    private static let defaultTimeout = 10.0
    /// The range that the daemon allows, in seconds.
    private static let timeouts = 0.0...300.0

    /// The object's text behind its brace.
    private let members: Data
    private let hasTimeout: Bool
    /// How long the caller waits.
    let timeout: TimeAmount

    init(_ request: ClientRequest) throws(TokenCacheError) {
        let seconds = request.timeout ?? Self.defaultTimeout
        guard Self.timeouts.contains(seconds) else {
            throw TokenCacheError(.invalidRequest, "'timeout' should be seconds, 0 to 300")
        }
        let text = try Self.encode(request)
        guard text.count <= Self.longest else {
            throw TokenCacheError(.invalidRequest, "the request's line would be too long")
        }
        members = text.dropFirst()
        hasTimeout = request.operation == "token"
        timeout = .milliseconds(Int64(seconds * 1_000))
    }

    /// The JSON as it will be sent.
    static func encode(_ value: some Encodable) throws(TokenCacheError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let text = try? encoder.encode(value) else {
            throw TokenCacheError(.invalidRequest, "the request has a number that is none of the protocol's")
        }
        return text
    }

    /// Writes it with its end; of a token's time, the daemon is given what is left.
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
