import Crypto
import FoundationEssentials

/// Makes access tokens as the tenant makes them: JWTs signed with ES384 (RFC 7518, section 3.4), none like another.
package struct TokenMinter: Sendable {
    private let key = P384.Signing.PrivateKey()
    private let issuer: String
    /// Tells the tokens of one stand-in from those of another.
    private let instance = UInt64.random(in: 0...UInt64.max)
    private var serial = 0

    /// A minter with a key of its own, for an issuer that is named by its URL.
    package init(issuer: String) {
        self.issuer = issuer
    }

    /// The key that verifies the tokens, as PEM.
    package var publicKeyPEM: String {
        key.publicKey.pemRepresentation
    }

    /// A token of a length, or of the next smaller one that base64url has, or of the smallest that holds the claims.
    package mutating func mint(
        for key: StandInTenant.MintKey,
        scope: String,
        at now: WallTime,
        lifetime: Int,
        bytes: Int
    ) throws -> String {
        serial += 1
        var claims = self.claims(key, scope, now, lifetime)
        let header = Self.base64URL(Self.header.encoded.utf8)
        // Two dots and 96 bytes of signature are in every token; base64url makes 4 characters of 3 bytes.
        let payloadBytes = (bytes - header.count - 2 - 128) * 3 / 4
        let room = payloadBytes - JSONValue.object(claims + [Self.padding(0)]).encoded.utf8.count
        claims.append(Self.padding(max(0, room)))
        let signed = header + "." + Self.base64URL(JSONValue.object(claims).encoded.utf8)
        let signature = try self.key.signature(for: Array(signed.utf8)).rawRepresentation
        return signed + "." + Self.base64URL(signature)
    }

    /// A refresh token; nobody can use it.
    package func refreshToken() -> String {
        "refresh-\(String(instance, radix: 16))-\(serial)"
    }

    private static let header = JSONValue.members([
        "alg": .string("ES384"), "kid": .string("stand-in"), "typ": .string("JWT"),
    ])

    private func claims(
        _ key: StandInTenant.MintKey,
        _ scope: String,
        _ now: WallTime,
        _ lifetime: Int
    ) -> [JSONValue.Member] {
        let claims: KeyValuePairs<String, JSONValue> = [
            "iss": .string(issuer), "aud": .string("qlik.api"), "sub": .string(key.value), "subType": .string("user"),
            "lookup": .string(key.field.rawValue), "scope": .string(scope), "iat": .integer(now.seconds),
            "nbf": .integer(now.seconds), "exp": .integer(now.adding(seconds: lifetime).seconds),
            "jti": .string("\(String(instance, radix: 16))-\(serial)"),
        ]
        return claims.map { claim in JSONValue.Member(name: claim.key, value: claim.value) }
    }

    private static func padding(_ length: Int) -> JSONValue.Member {
        JSONValue.Member(name: "padding", value: .string(String(repeating: "x", count: length)))
    }

    private static func base64URL(_ bytes: some Sequence<UInt8>) -> String {
        let text = Data(bytes).base64EncodedString()
        return String(
            text.compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            }
        )
    }
}
