import Secrets
import TokenCache
import TokenProtocol

/// Reads a tenant's reply: a pure function of status, headers and body.
struct GrantReply {
    let reply: TenantReply
    /// The memory for tokens, or nil for the heap.
    let memory: SecretMemory?

    /// Returns the outcome of a request for a token.
    func outcome(_ body: borrowing Span<UInt8>) -> MintOutcome {
        reply.status == 200 ? token(body) : .failed(failure(body))
    }

    /// Returns the outcome of a revocation.
    func revocationOutcome(_ body: borrowing Span<UInt8>) -> RevocationOutcome {
        guard reply.status != 200 else { return .accepted }
        let failure = failure(body)
        if case .denied = failure { return .denied }
        return .failed(failure)
    }

    /// Returns the failure for a status other than 200.
    private func failure(_ body: borrowing Span<UInt8>) -> CallFailure {
        if let fault = reply.fault { return fault }
        switch reply.status {
        case 400, 401, 403, 404: return .denied(reply.upstream(body))
        default: return .rejected("the tenant answered with status \(reply.status)")
        }
    }

    // MARK: Tokens

    private func token(_ body: borrowing Span<UInt8>) -> MintOutcome {
        guard let object = JSONObject(body, depthLimit: TenantReply.depthLimit) else {
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
            scope: TenantReply.text(object["scope"], body).flatMap { $0.isEmpty ? nil : $0 },
            lifetime: reply.times.lifetime(
                expiresIn: Self.number(object["expires_in"], body),
                expiresAt: TenantReply.text(object["expires_at"], body)
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
        value.kind == .null || TenantReply.text(value, body)?.lowercased() == "bearer"
    }

    /// Returns a number, or the number in a text.
    private static func number(_ value: JSONScanner.Value?, _ body: borrowing Span<UInt8>) -> Double? {
        guard let value else { return nil }
        if value.kind == .number { return JSONText.number(of: value, body) }
        return TenantReply.text(value, body).flatMap { Double($0.trimmed) }
    }
}
