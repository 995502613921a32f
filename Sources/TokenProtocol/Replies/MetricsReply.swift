import SafeText

/// The metrics in a text format.
///
/// It is encoded where it is created, as the text may have megabytes and the event loop should only copy it.
package struct MetricsReply: Sendable, Equatable {
    /// The text's media type.
    package let contentType: String
    /// The text as a JSON string with its quotes.
    let body: [UInt8]

    /// Encodes a text.
    package init(contentType: String, text: String) {
        self.contentType = contentType
        body = Self.quotedASCII(text) ?? Array(text.jsonQuoted.utf8)
    }

    /// Quotes printable ASCII with line feeds, or returns nil for another text.
    ///
    /// In another text the unsafe characters have to be found.
    private static func quotedASCII(_ text: String) -> [UInt8]? {
        var quoted = [UInt8(ascii: "\"")]
        quoted.reserveCapacity(text.utf8.count + text.utf8.count / 8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n"): quoted += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): quoted += [UInt8(ascii: "\\"), byte]
            case 0x20...0x7E: quoted.append(byte)
            default: return nil
            }
        }
        quoted.append(UInt8(ascii: "\""))
        return quoted
    }
}
