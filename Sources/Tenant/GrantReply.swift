import NIOHTTP1
import SafeText
import Secrets
import TokenProtocol

/// Reads a tenant's answer: a pure function of status, headers and body.
struct GrantReply {
    /// Deeper nesting has no use in a reply.
    private static let depthLimit = 32
    /// The longest part of the tenant's own words that is passed on.
    private static let longestWords = 200

    let status: Int
    let headers: HTTPHeaders
    /// The local wall clock when the reply came, in seconds since 1970.
    let wall: Double
    /// What a token's memory is taken from.
    let memory: SecretMemory?

    /// The outcome of a request for a token.
    func outcome(_ body: borrowing Span<UInt8>) -> MintOutcome {
        switch status {
        case 200: return token(body)
        case 400, 401, 403, 404: return .denied(upstream(body))
        case 429: return .throttled(retryAfter: headers.first(name: "retry-after").flatMap(times.retryAfter))
        case 408, 425, 500...599:
            return .unavailable(Unavailability("the tenant answered with status \(status)", retryAfter: retryAfter))
        case 402, 405...499: return .rejected("the tenant answered with status \(status)")
        case 300...399:
            return .malformed("the tenant answered with a redirect, status \(status), which is not followed")
        default: return .malformed("the tenant answered with status \(status)")
        }
    }

    /// The outcome of a revocation.
    func revocationOutcome(_ body: borrowing Span<UInt8>) -> RevocationOutcome {
        guard status != 200 else { return .taken }
        let outcome = outcome(body)
        if case .denied = outcome { return .refused }
        return .failed(outcome)
    }

    private var times: ReplyTimes { ReplyTimes(dateHeader: headers.first(name: "date"), wall: wall) }

    private var retryAfter: Unavailability.RetryAfter {
        guard status == 503, let header = headers.first(name: "retry-after") else { return .absent }
        return times.retryAfter(header).map { .usable($0) } ?? .unusable
    }

    // MARK: Tokens

    private func token(_ body: borrowing Span<UInt8>) -> MintOutcome {
        guard let object = JSONObject(body, depthLimit: Self.depthLimit) else {
            return .malformed("the tenant's answer is not one JSON object")
        }
        guard let value = object["access_token"], value.isString else {
            return .malformed("the tenant's answer has no access_token")
        }
        if let type = object["token_type"], !Self.isBearer(type, body) {
            return .malformed("the tenant's token is no bearer token")
        }
        guard let secret = JSONText.secret(of: value, body, in: memory) else { return .noMemory }
        guard let token = Self.accessToken(secret) else {
            return .malformed("the tenant's access_token is empty or has characters that no token has")
        }
        return .minted(
            MintedToken(
                accessToken: token,
                scope: Self.text(object["scope"], body).flatMap { $0.isEmpty ? nil : $0 },
                lifetime: times.lifetime(
                    expiresIn: Self.number(object["expires_in"], body),
                    expiresAt: Self.text(object["expires_at"], body)
                )
            )
        )
    }

    /// RFC 6749, appendix A.12: a token is visible ASCII and spaces; a space would end it in an Authorization header.
    private static func accessToken(_ secret: SecretBytes) -> AccessToken? {
        let isToken = unsafe secret.withUnsafeBytes { unsafe !$0.isEmpty && $0.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        return isToken ? AccessToken(secret) : nil
    }

    private static func isBearer(_ value: JSONScanner.Value, _ body: borrowing Span<UInt8>) -> Bool {
        value.kind == .null || text(value, body)?.lowercased() == "bearer"
    }

    /// A number, or a text that holds one.
    private static func number(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> Double? {
        guard let value else { return nil }
        if value.kind == .number { return JSONText.number(of: value, body) }
        return text(value, body).flatMap { Double($0.trimmed) }
    }

    private static func text(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> String? {
        guard let value, value.isString else { return nil }
        return JSONText.string(of: value, body)
    }

    // MARK: Refusals

    /// What the tenant says of a refusal: its own form, or RFC 6749's; of HTML and the like nothing but the status.
    private func upstream(_ body: borrowing Span<UInt8>) -> ErrorReply.Upstream {
        guard let object = JSONObject(body, depthLimit: Self.depthLimit) else { return .init(status: status) }
        if let errors = object["errors"], let first = JSONObject.first(of: errors, body),
            let error = JSONObject(first, body)
        {
            return .init(status: status, code: words(error["code"], body), title: words(error["title"], body))
        }
        return .init(
            status: status,
            code: words(object["error"], body),
            title: words(object["error_description"], body)
        )
    }

    private func words(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> String? {
        Self.text(value, body).map { text in
            let scalars = text.unicodeScalars.filter { !$0.isUnsafeToPrint }
            return String(String.UnicodeScalarView(scalars.prefix(Self.longestWords)))
        }
    }
}
