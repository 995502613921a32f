#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A signed statement by which a client says that it is that client, for one call (RFC 7523, section 2.2).
enum ClientAssertion {
    /// What the tenant is told that it is.
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// How long it is good for, in seconds: it is used at once, and clocks are seldom further apart.
    ///
    /// The tenant takes five minutes at most.
    private static let lifetime = 120

    /// Signs a new one; none is ever used twice.
    ///
    /// - Parameters:
    ///   - audience: The token endpoint's URL, exactly.
    ///   - now: The wall clock.
    static func sign(_ key: ClientKey, clientID: String, audience: String, now: Date) throws -> [UInt8] {
        let signer = try key.signer()
        let issued = Int(now.timeIntervalSince1970)
        let header = ["alg": signer.algorithm, "kid": key.id, "typ": "JWT"]
        let claims = Claims(
            iss: clientID,
            sub: clientID,
            aud: audience,
            jti: UUID().uuidString.lowercased(),
            iat: issued,
            exp: issued + lifetime
        )
        let signed = Array((try part(header) + "." + part(claims)).utf8)
        return signed + [UInt8(ascii: ".")] + Array(Base64URL.encode(try signer.signature(of: signed)).utf8)
    }

    private struct Claims: Encodable {
        let iss: String
        let sub: String
        let aud: String
        let jti: String
        let iat: Int
        let exp: Int
    }

    private static func part(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Base64URL.encode(Array(try encoder.encode(value)))
    }
}

/// Base64 as a JWS has it (RFC 7515, section 2): for URLs, without padding.
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
            .replacing("+", with: "-")
            .replacing("/", with: "_")
            .replacing("=", with: "")
    }
}
