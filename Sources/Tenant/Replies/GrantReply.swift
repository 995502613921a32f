import NIOHTTP1
import SafeText
import Secrets
import TokenCache
import TokenProtocol

/// Reads a tenant's reply: a pure function of status, headers and body.
struct GrantReply {
    /// The deepest nesting that is accepted: a reply needs less.
    private static let depthLimit = 32
    /// The longest part of the tenant's error texts that is passed on, in Unicode scalars.
    private static let longestText = 200

    let status: Int
    let headers: HTTPHeaders
    /// The local wall clock when the reply arrived, in seconds since 1970.
    let wall: Double
    /// The memory for tokens, or nil for the heap.
    let memory: SecretMemory?
    /// The secret that the request contained, or nil for none.
    ///
    /// A gateway may repeat the request in its error, and the secret must not go on from there.
    var secret: SecretBytes?

    /// Returns the outcome of a request for a token.
    func outcome(_ body: borrowing Span<UInt8>) -> MintOutcome {
        status == 200 ? token(body) : .failed(failure(body))
    }

    /// Returns the outcome of a revocation.
    func revocationOutcome(_ body: borrowing Span<UInt8>) -> RevocationOutcome {
        guard status != 200 else { return .accepted }
        let failure = failure(body)
        if case .denied = failure { return .denied }
        return .failed(failure)
    }

    /// Returns the failure for a status other than 200.
    private func failure(_ body: borrowing Span<UInt8>) -> CallFailure {
        switch status {
        case 400, 401, 403, 404: .denied(upstream(body))
        case 429: .throttled(retryAfter: headers.first(name: "retry-after").flatMap(times.retryAfter))
        case 408, 425, 500...599: .unavailable("the tenant answered with status \(status)", retryAfter: retryAfter)
        case 402, 405...499: .rejected("the tenant answered with status \(status)")
        case 300...399: .malformed("the tenant answered with a redirect, status \(status), which is not followed")
        default: .malformed("the tenant answered with status \(status)")
        }
    }

    private var times: ReplyTimes { ReplyTimes(dateHeader: headers.first(name: "date"), wall: wall) }

    private var retryAfter: CallFailure.RetryAfter? {
        guard status == 503, let header = headers.first(name: "retry-after") else { return nil }
        return times.retryAfter(header).map { .usable($0) } ?? .unusable
    }

    // MARK: Tokens

    private func token(_ body: borrowing Span<UInt8>) -> MintOutcome {
        guard let object = JSONObject(body, depthLimit: Self.depthLimit) else {
            return .failed(.malformed("the tenant's answer is not one JSON object"))
        }
        guard let value = object["access_token"], value.isString else {
            return .failed(.malformed("the tenant's answer has no access_token"))
        }
        if let type = object["token_type"], !Self.isBearer(type, body) {
            return .failed(.malformed("the tenant's token is no bearer token"))
        }
        guard let secret = JSONText.secret(of: value, body, in: memory) else { return .failed(.noMemory) }
        guard let token = Self.accessToken(secret) else {
            return .failed(.malformed("the tenant's access_token is empty or has characters that no token has"))
        }
        return .minted(
            token,
            scope: Self.text(object["scope"], body).flatMap { $0.isEmpty ? nil : $0 },
            lifetime: times.lifetime(
                expiresIn: Self.number(object["expires_in"], body),
                expiresAt: Self.text(object["expires_at"], body)
            )
        )
    }

    /// Returns a token if it is visible ASCII, and otherwise nil.
    ///
    /// RFC 6749, appendix A.12, allows spaces, too, but one would end the token in an Authorization header.
    private static func accessToken(_ secret: SecretBytes) -> AccessToken? {
        let isToken = unsafe secret.withUnsafeBytes { unsafe !$0.isEmpty && $0.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        return isToken ? AccessToken(secret) : nil
    }

    private static func isBearer(_ value: JSONScanner.Value, _ body: borrowing Span<UInt8>) -> Bool {
        value.kind == .null || text(value, body)?.lowercased() == "bearer"
    }

    /// Returns a number, or the number in a text.
    private static func number(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> Double? {
        guard let value else { return nil }
        if value.kind == .number { return JSONText.number(of: value, body) }
        return text(value, body).flatMap { Double($0.trimmed) }
    }

    private static func text(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> String? {
        guard let value, value.isString else { return nil }
        return JSONText.string(of: value, body)
    }

    // MARK: Denials

    /// Reads the reason of a denial, in the tenant's own form or in RFC 6749's.
    ///
    /// Of anything else, such as HTML, only the status is passed on.
    private func upstream(_ body: borrowing Span<UInt8>) -> ErrorReply.Upstream {
        guard let object = JSONObject(body, depthLimit: Self.depthLimit) else { return .init(status: status) }
        if let errors = object["errors"], let first = JSONObject.first(of: errors, body),
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
    /// - Returns: The text, or nil if there is none or if it contains the request's secret.
    private func plainText(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> String? {
        guard let text = Self.text(value, body), !containsSecret(text) else { return nil }
        let scalars = text.unicodeScalars.filter { !$0.isUnsafeToPrint }
        return String(String.UnicodeScalarView(scalars.prefix(Self.longestText)))
    }

    private func containsSecret(_ text: String) -> Bool {
        guard let secret else { return false }
        return unsafe secret.withUnsafeBytes { secret in
            unsafe !secret.isEmpty && Array(text.utf8).firstRange(of: secret) != nil
        }
    }
}
