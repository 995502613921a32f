import HTTPTypes
import OperatorReplies

/// The reason of a response that is no success, as RFC 9457 describes it.
struct Problem: Error, Equatable, Encodable {
    /// The meaning of the problem.
    ///
    /// The status says all that there is to say, for which the RFC reserves this value (section 4.2.1).
    let type = "about:blank"
    /// The name of the status.
    let title: String
    let status: Int
    /// A sentence that says what is wrong with this request.
    let detail: String
    /// The failing checks, or nil if the problem is none of the daemon's health.
    let checks: [HealthReply.Check]?
    /// The methods that the resource has, for the header `Allow`.
    let allow: String?

    private enum CodingKeys: String, CodingKey {
        case type, title, status, detail, checks
    }

    /// Creates a problem.
    init(
        _ status: HTTPResponse.Status,
        _ detail: String,
        checks: [HealthReply.Check]? = nil,
        allow: String? = nil
    ) {
        title = status.reasonPhrase
        self.status = status.code
        self.detail = detail
        self.checks = checks
        self.allow = allow
    }
}

extension Problem {
    static let malformed = Problem(.badRequest, "the request can't be parsed")
    static let tooLarge = Problem(
        .requestHeaderFieldsTooLarge,
        "a request may have up to \(ConnectionLimits.maxRequestBytes) bytes"
    )
    static let body = Problem(.contentTooLarge, "a request must have no body")
    static let tooSlow = Problem(
        .requestTimeout,
        "the request was not complete in time"
    )
}
