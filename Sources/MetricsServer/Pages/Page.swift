import HTTPTypes
import NIOCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A response with a text.
struct Page: Sendable, Equatable {
    let head: HTTPResponse
    let text: String

    /// Creates a page of a type.
    init(_ type: String, _ text: String, status: HTTPResponse.Status = .ok, allow: String? = nil) {
        var headers: HTTPFields = [
            .contentType: type,
            .contentLength: String(text.utf8.count),
            .cacheControl: "no-store",
            .connection: "close",
            // A browser that is led here must not take the text for a script or a page.
            .xContentTypeOptions: "nosniff",
        ]
        headers[.allow] = allow
        head = HTTPResponse(status: status, headerFields: headers)
        self.text = text
    }

    /// Creates a page with a value as JSON.
    init(_ type: String, json value: some Encodable, status: HTTPResponse.Status = .ok, allow: String? = nil) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // The values that come here consist of texts and integers, which can always be encoded.
        let data = (try? encoder.encode(value)) ?? Data("{}".utf8)
        self.init(type, String(decoding: data, as: UTF8.self) + "\n", status: status, allow: allow)
    }

    /// Creates a page that says what is wrong.
    init(_ problem: Problem) {
        let status = HTTPResponse.Status(code: problem.status, reasonPhrase: problem.title)
        self.init("application/problem+json", json: problem, status: status, allow: problem.allow)
    }

    /// The text's bytes.
    var body: ByteBuffer { ByteBuffer(string: text) }
}
