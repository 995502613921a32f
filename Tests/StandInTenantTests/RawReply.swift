import Foundation

/// A reply as it came over the socket, read without the help of anything that the stand-in uses.
struct RawReply {
    var status: Int
    var fields: [String: String]
    var body: [UInt8]
    /// True if the body has the length that the head gives.
    var isComplete: Bool
    /// The number of received bytes that belong to it.
    var length: Int
    /// The least number of bytes that are missing.
    var missing: Int { max(1, (Int(fields["content-length"] ?? "") ?? 0) - body.count) }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as a JSON object, if it is one.
    var json: [String: Any]? {
        try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
    }

    /// The error of the tenant's form.
    var tenantError: [String: String]? {
        (json?["errors"] as? [[String: String]])?.first
    }

    /// Reads what was received, if the head is complete.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        var lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        guard let status = Int(lines.removeFirst().split(separator: " ")[1]) else { return nil }
        self.status = status
        fields = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            fields[parts[0].lowercased()] = parts[1]
        }
        let rest = bytes[end.upperBound...]
        let (body, length, isComplete) =
            fields["transfer-encoding"] == "chunked"
            ? Self.chunks(rest) : Self.counted(rest, Int(fields["content-length"] ?? "") ?? 0)
        self.body = body
        self.length = end.upperBound + length
        self.isComplete = isComplete
    }

    private static func counted(_ bytes: ArraySlice<UInt8>, _ length: Int) -> ([UInt8], Int, Bool) {
        let body = Array(bytes.prefix(length))
        return (body, body.count, body.count == length)
    }

    private static func chunks(_ bytes: ArraySlice<UInt8>) -> ([UInt8], Int, Bool) {
        var body: [UInt8] = []
        var rest = bytes
        while let end = rest.firstRange(of: Array("\r\n".utf8)),
            let size = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16)
        {
            let chunk = rest[end.upperBound...]
            guard chunk.count >= size + 2 else { break }
            body += chunk.prefix(size)
            rest = chunk.dropFirst(size + 2)
            if size == 0 { return (body, bytes.count - rest.count, true) }
        }
        return (body, bytes.count - rest.count, false)
    }
}
