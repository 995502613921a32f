import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One line from the daemon, with the members that all replies have in common.
struct ReplyLine {
    /// The JSON object as it arrived.
    let data: Data
    /// The id, if it is an integer, as all ids of this client are.
    let id: Int?
    /// True if the line answers a request, of this client or not.
    let hasID: Bool
    /// The error that the line reports, or nil if it reports success.
    let error: TokenCacheError?

    /// Reads a line.
    ///
    /// Returns nil if the line is not a JSON object.
    init?(_ line: ByteBuffer) {
        data = Data(line.readableBytesView)
        guard Self.hasValidStrings(data), let members = try? JSONDecoder().decode(Members.self, from: data) else {
            return nil
        }
        id = members.id
        hasID = members.hasID
        error = members.error
    }

    /// True if all strings are valid, and characters that only strings may have are only in strings.
    ///
    /// The decoder doesn't look into strings that nobody asks for, and it accepts encodings other than UTF-8.
    private static func hasValidStrings(_ data: Data) -> Bool {
        guard String(validating: data, as: UTF8.self) != nil else { return false }
        var state = ScanState.outside
        for byte in data {
            guard let next = state.next(byte) else { return false }
            state = next
        }
        return state == .outside
    }

    private enum ScanState: Equatable {
        case outside
        case inString
        case afterBackslash
        case inHexadecimal(left: Int)

        /// The state after the byte, or nil if the byte is not allowed in this one.
        func next(_ byte: UInt8) -> ScanState? {
            switch (self, byte) {
            case (.outside, UInt8(ascii: "\"")): .inString
            case (.outside, 0x20..<0x80), (.outside, UInt8(ascii: "\t")), (.outside, UInt8(ascii: "\r")): .outside
            case (.inString, UInt8(ascii: "\"")): .outside
            case (.inString, UInt8(ascii: "\\")): .afterBackslash
            case (.inString, 0x20...): .inString
            case (.afterBackslash, UInt8(ascii: "u")): .inHexadecimal(left: 4)
            case (.afterBackslash, _): #""\/bfnrt"#.utf8.contains(byte) ? .inString : nil
            case (.inHexadecimal(let left), _) where Character(UnicodeScalar(byte)).isHexDigit:
                left > 1 ? .inHexadecimal(left: left - 1) : .inString
            default: nil
            }
        }
    }

    private struct Members: Decodable {
        let id: Int?
        let hasID: Bool
        let error: TokenCacheError?

        private enum CodingKeys: String, CodingKey {
            case id
            case code = "error"
            case message = "error_description"
            case retryAfter = "retry_after"
            case upstream
        }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            hasID = members.contains(.id)
            id = try? members.decode(Int.self, forKey: .id)
            // A malformed member counts as missing.
            guard let code = try? members.decode(String.self, forKey: .code) else {
                error = nil
                return
            }
            error = TokenCacheError(
                TokenCacheError.Code(rawValue: code),
                (try? members.decode(String.self, forKey: .message)) ?? code,
                retryAfter: members.delay(forKey: .retryAfter),
                upstream: try? members.decode(TokenCacheError.Upstream.self, forKey: .upstream),
                requestState: .answered
            )
        }
    }
}
