import Crypto
import FoundationEssentials

/// Makes access tokens in the tenant's form: unique JWTs, signed with ES384 (RFC 7518, section 3.4).
struct TokenMinter: Sendable {
    private static let header = base64URL(#"{"alg":"ES384","kid":"stand-in","typ":"JWT"}"#.utf8)
    /// The length of two dots and of 96 bytes of signature, which base64url makes 128.
    private static let trailerBytes = 130

    private let key = P384.Signing.PrivateKey()
    private let issuer: String
    /// Distinguishes the tokens of one stand-in from those of another.
    private let instance = String(UInt64.random(in: 0...UInt64.max), radix: 16)
    private var serial = 0

    /// A minter with a key of its own, for an issuer's URL.
    init(issuer: String) { self.issuer = issuer }

    /// The key that verifies the tokens, as PEM.
    var publicKeyPEM: String { key.publicKey.pemRepresentation }

    /// Makes a token of a length, or of the next smaller one that base64url has, or of the least that the claims need.
    mutating func mint(
        for key: StandInTenant.MintKey,
        scope: String,
        at now: Date,
        lifetime: Int,
        bytes: Int
    ) throws -> String {
        serial += 1
        let issued = Int(now.timeIntervalSince1970.rounded(.down))
        func claims(_ padding: String) -> String {
            JSONText.object([
                "iss": JSONText.string(issuer), "aud": #""qlik.api""#, "sub": JSONText.string(key.value),
                "subType": key.field == .client ? #""externalClient""# : #""user""#,
                "lookup": JSONText.string(key.field.rawValue), "scope": JSONText.string(scope),
                "iat": "\(issued)", "nbf": "\(issued)", "exp": "\(issued + lifetime)",
                "jti": "\"\(instance)-\(serial)\"", "padding": "\"\(padding)\"",
            ])
        }
        // Base64url makes 4 characters of 3 bytes.
        let payloadBytes = (bytes - Self.header.utf8.count - Self.trailerBytes) * 3 / 4
        let padding = String(repeating: "x", count: max(0, payloadBytes - claims("").utf8.count))
        let signed = Self.header + "." + Self.base64URL(claims(padding).utf8)
        let signature = try self.key.signature(for: Data(signed.utf8)).rawRepresentation
        return signed + "." + Self.base64URL(signature)
    }

    /// Returns a refresh token, which no request accepts.
    func refreshToken() -> String { "refresh-\(instance)-\(serial)" }

    private static func base64URL(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
