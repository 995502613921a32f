/// Reads the query of a URL, in which every byte that has a meaning of its own is percent-encoded (RFC 3986).
enum QueryText {
    private static let plain = Set("-._~!$'()*,;:@/?".utf8)

    /// Returns the parameters, of which each has a name of the list and a value that is not empty.
    static func parameters(_ query: String, allowed: [String]) throws(StandInTenant.Fault) -> [String: String] {
        var parameters: [String: String] = [:]
        guard !query.isEmpty else { return parameters }
        for part in query.split(separator: "&", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, allowed.contains(String(sides[0])), !sides[1].isEmpty else {
                throw StandInTenant.Fault("the query has “\(part)”")
            }
            guard parameters.updateValue(try decode(sides[1]), forKey: String(sides[0])) == nil else {
                throw StandInTenant.Fault("the query has \(sides[0]) twice")
            }
        }
        return parameters
    }

    /// Decodes a text, and throws at a byte that should be encoded.
    ///
    /// A plus sign is one of them, because some servers read a space from it.
    static func decode(_ text: some StringProtocol) throws(StandInTenant.Fault) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let value = hexadecimal(rest.prefix(2)) else {
                    throw StandInTenant.Fault("“\(text)” has a percent sign without two hexadecimal digits")
                }
                rest = rest.dropFirst(2)
                bytes.append(value)
            } else if isPlain(byte) {
                bytes.append(byte)
            } else {
                throw StandInTenant.Fault("“\(text)” has a byte \(byte) that should be percent-encoded")
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw StandInTenant.Fault("“\(text)” is no UTF-8")
        }
        return decoded
    }

    /// Encodes a text, so that only unreserved characters are left as they are.
    static func encode(_ text: String) -> String {
        text.utf8.reduce(into: "") { result, byte in
            if isUnreserved(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt8? {
        guard let text = String(validating: digits, as: UTF8.self), text.allSatisfy(\.isHexDigit) else { return nil }
        return UInt8(text, radix: 16)
    }

    private static func isPlain(_ byte: UInt8) -> Bool { isUnreserved(byte) || plain.contains(byte) }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || "-._~".utf8.contains(byte)
    }
}
