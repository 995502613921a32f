#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A signed statement that authenticates a client for one call (RFC 7523, section 2.2).
enum ClientAssertion {
    /// The value of `client_assertion_type`.
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// The lifetime in seconds: an assertion is used at once, and clocks are seldom further apart.
    ///
    /// The tenant accepts five minutes at most.
    private static let lifetime = 120

    /// Signs a new assertion, for one use.
    ///
    /// - Parameters:
    ///   - audience: The token endpoint's URL, exactly.
    ///   - now: The wall clock.
    static func sign(_ key: ClientKey, clientID: String, audience: String, now: Date) throws -> [UInt8] {
        let signer = try key.signer()
        let issued = Int(now.timeIntervalSince1970)
        let header = ["alg": key.algorithm.rawValue, "kid": key.id, "typ": "JWT"]
        let claims = Claims(
            iss: clientID,
            sub: clientID,
            aud: audience,
            jti: UUID().uuidString.lowercased(),
            iat: issued,
            exp: issued + lifetime
        )
        let signed = Array((try part(header) + "." + part(claims)).utf8)
        let signature = try signer.signature(of: signed, key.algorithm)
        return signed + [UInt8(ascii: ".")] + Array(Base64URL.encode(signature).utf8)
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
