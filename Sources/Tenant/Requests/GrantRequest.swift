import NIOCore
import Secrets
import TokenProtocol

/// Builds the bodies of requests to a tenant.
enum GrantRequest {
    /// The client that makes a request, with its proof of identity.
    enum Client {
        /// The client's id and secret.
        case secret(String, ClientSecret)
        /// A signed assertion, which has the client's id in it.
        case assertion([UInt8])

        /// The bytes of the proof, which no error may repeat.
        var proof: SecretBytes {
            switch self {
            case .secret(_, let secret): secret.bytes
            case .assertion(let assertion): unsafe assertion.withUnsafeBytes { unsafe SecretBytes(copying: $0) }
            }
        }
    }

    /// Builds the body of a request for a user's impersonation token, or for the client's own token if it is named.
    ///
    /// Without scopes the tenant gives all that the client has (RFC 6749, section 3.3).
    static func mint(_ user: UserLookup, scopes: ScopeSet, as client: Client) -> ByteBuffer {
        var body = JSONBody()
        switch client {
        case .secret(let id, let secret):
            body.member("client_id", id.utf8)
            body.member("client_secret", secret)
        case .assertion(let assertion):
            body.member("client_assertion_type", ClientAssertion.type.utf8)
            body.member("client_assertion", assertion)
        }
        switch user.field {
        case .subject: impersonate("subject", user, &body)
        case .userID: impersonate("userId", user, &body)
        case .client: body.member("grant_type", "client_credentials".utf8)
        }
        if !scopes.isAll { body.member("scope", scopes.text.utf8) }
        return body.finish()
    }

    private static func impersonate(_ field: String, _ user: UserLookup, _ body: inout JSONBody) {
        body.member("grant_type", "urn:qlik:oauth:user-impersonation".utf8)
        body.object("user_lookup") { lookup in
            lookup.member("field", field.utf8)
            lookup.member("value", user.value)
        }
    }

    /// Builds the body of a revocation (RFC 7009, as JSON).
    static func revoke(_ token: AccessToken) -> ByteBuffer {
        var body = JSONBody()
        unsafe token.bytes.withUnsafeBytes { unsafe body.member("token", $0) }
        body.member("token_type_hint", "access_token".utf8)
        return body.finish()
    }
}
