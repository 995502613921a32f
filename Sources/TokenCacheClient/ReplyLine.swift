import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One line of the daemon, as far as every reply is alike.
struct ReplyLine {
    /// The object as it came.
    let data: Data
    /// The id, if it is one of ours.
    let id: Int?
    /// Whether it is the answer to something, ours or not.
    let hasID: Bool
    /// The error that the line tells of; nil: it is an answer.
    let error: TokenCacheError?

    /// Nil: the line is no JSON object.
    init?(_ line: ByteBuffer) {
        data = Data(line.readableBytesView)
        guard Self.hasReadableTexts(data), let members = try? JSONDecoder().decode(Members.self, from: data) else {
            return nil
        }
        id = members.id
        hasID = members.hasID
        error = members.error
    }

    /// Whether all texts are, and nothing else has characters that only texts may have.
    ///
    /// The decoder looks neither into the texts that it wasn't asked for, nor at what encoding it finds.
    private static func hasReadableTexts(_ data: Data) -> Bool {
        guard String(validating: data, as: UTF8.self) != nil else { return false }
        var place = Place.outside
        for byte in data {
            guard let next = place.next(byte) else { return false }
            place = next
        }
        return place == .outside
    }

    private enum Place: Equatable {
        case outside
        case inText
        case afterBackslash
        case inHexadecimal(left: Int)

        /// The place behind the byte; nil: it can't stand here.
        func next(_ byte: UInt8) -> Place? {
            switch (self, byte) {
            case (.outside, UInt8(ascii: "\"")): .inText
            case (.outside, 0x20..<0x80), (.outside, UInt8(ascii: "\t")), (.outside, UInt8(ascii: "\r")): .outside
            case (.inText, UInt8(ascii: "\"")): .outside
            case (.inText, UInt8(ascii: "\\")): .afterBackslash
            case (.inText, 0x20...): .inText
            case (.afterBackslash, UInt8(ascii: "u")): .inHexadecimal(left: 4)
            case (.afterBackslash, _): #""\/bfnrt"#.utf8.contains(byte) ? .inText : nil
            case (.inHexadecimal(let left), _) where Character(UnicodeScalar(byte)).isHexDigit:
                left > 1 ? .inHexadecimal(left: left - 1) : .inText
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
            case text = "error_description"
            case retryAfter = "retry_after"
            case upstream
        }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            hasID = members.contains(.id)
            id = try? members.decode(Int.self, forKey: .id)
            // What makes no sense counts as lacking.
            guard let code = try? members.decode(String.self, forKey: .code) else {
                error = nil
                return
            }
            error = TokenCacheError(
                TokenCacheError.Code(rawValue: code),
                (try? members.decode(String.self, forKey: .text)) ?? code,
                retryAfter: members.pause(forKey: .retryAfter),
                upstream: try? members.decode(TokenCacheError.Upstream.self, forKey: .upstream)
            )
        }
    }
}
