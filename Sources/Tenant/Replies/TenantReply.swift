import NIOHTTP1
import SafeText
import Secrets
import TokenCache
import TokenProtocol

/// The parts of a tenant's reply that are read alike for each call: its times, and the reason of a refusal.
struct TenantReply {
    /// The deepest nesting that is accepted: a reply needs less.
    static let depthLimit = 32
    /// The longest part of the tenant's error texts that is passed on, in Unicode scalars.
    private static let longestText = 200

    let status: Int
    let headers: HTTPHeaders
    /// The local wall clock when the reply arrived, in seconds since 1970.
    let wall: Double
    /// The parts of the request that must not go on from here.
    ///
    /// A gateway may repeat the request in its error.
    var hidden = HiddenTexts()

    var times: ReplyTimes { ReplyTimes(dateHeader: headers.first(name: "date"), wall: wall) }

    /// The failure that the status means for the tenant as a whole, or nil for one that is about the request: 4xx.
    ///
    /// A status that the call expects is for its reader, who doesn't ask.
    var fault: CallFailure? {
        switch status {
        case 429: .throttled(retryAfter: headers.first(name: "retry-after").flatMap(times.retryAfter))
        case 408, 425, 500...599: .unavailable("the tenant answered with status \(status)", retryAfter: retryAfter)
        case 400...499: nil
        case 300...399: .malformed("the tenant answered with a redirect, status \(status), which is not followed")
        default: .malformed("the tenant answered with status \(status)")
        }
    }

    private var retryAfter: CallFailure.RetryAfter? {
        guard status == 503, let header = headers.first(name: "retry-after") else { return nil }
        return times.retryAfter(header).map { .usable($0) } ?? .unusable
    }

    /// Reads the reason of a refusal, in the tenant's own form or in RFC 6749's.
    ///
    /// Of anything else, such as HTML, only the status is passed on.
    func upstream(_ body: borrowing Span<UInt8>) -> ErrorReply.Upstream {
        guard let object = JSONObject(body, depthLimit: Self.depthLimit) else { return .init(status: status) }
        if let errors = object["errors"], let first = JSONObject.elements(of: errors, body)?.first,
            let error = JSONObject(first, body)
        {
            return .init(status: status, code: plainText(error["code"], body), title: plainText(error["title"], body))
        }
        return .init(
            status: status,
            code: plainText(object["error"], body),
            title: plainText(object["error_description"], body)
        )
    }

    /// Returns a text without characters that control a terminal, cut to a length that an error may have.
    ///
    /// - Returns: The text, or nil if there is none or if it contains a hidden part of the request.
    private func plainText(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> String? {
        guard let text = Self.text(value, body), !hidden.isIn(text) else { return nil }
        let scalars = text.unicodeScalars.filter { !$0.isUnsafeToPrint }
        return String(String.UnicodeScalarView(scalars.prefix(Self.longestText)))
    }

    static func text(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> String? {
        guard let value, value.isString else { return nil }
        return JSONText.string(of: value, body)
    }
}
