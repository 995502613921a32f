import Crypto
import CryptoExtras
import FoundationEssentials

/// The client's registered public keys, and the assertions that were made with them.
struct ClientKeys: Sendable {
    /// The longest life of an assertion in seconds, which the contract sets and RFC 7523 leaves open.
    private static let longestLife = 300
    private static let shortestID = 16

    private enum PublicKey {
        case p384(P384.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
    }

    /// The result of an assertion's check.
    enum Verdict: Equatable {
        case accepted
        case refused  // It has another signature.
        case wrong(String)  // It breaks a rule of the contract.
    }

    private let keys: [PublicKey]
    private var usedIDs: Set<String> = []

    /// Keys in PEM form: P-384 or RSA.
    init(_ texts: [String]) throws {
        keys = try texts.map { text in
            if let key = try? P384.Signing.PublicKey(pemRepresentation: text) { return .p384(key) }
            guard let key = try? _RSA.Signing.PublicKey(pemRepresentation: text) else {
                throw StandInTenant.Fault("a client's public key is in PEM form, P-384 or RSA")
            }
            return .rsa(key)
        }
    }

    /// Checks an assertion, which may be used once.
    mutating func verdict(on assertion: String, from clientID: String, to audience: String, at now: Date) -> Verdict {
        let parts = assertion.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            let signature = Self.decode(parts[2])
        else { return .wrong("the assertion is no JWS in compact form") }
        guard let kid = header["kid"]?.text, !kid.isEmpty, let algorithm = header["alg"]?.text,
            ["ES384", "RS256", "RS512"].contains(algorithm)
        else { return .wrong("the assertion's header has no kid, or an alg other than ES384, RS256 and RS512") }
        if let violation = Self.violation(claims, clientID, audience, now) { return .wrong(violation) }
        guard isSigned(Data("\(parts[0]).\(parts[1])".utf8), signature, algorithm) else { return .refused }
        guard let id = claims["jti"]?.text, usedIDs.insert(id).inserted else {
            return .wrong("the assertion was used before")
        }
        return .accepted
    }

    /// The client that an assertion names, without a check of its signature.
    static func issuer(of assertion: String) -> String? {
        let parts = assertion.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        return parts.count == 3 ? object(parts[1])?["iss"]?.text : nil
    }

    private static func violation(_ claims: JSONValue, _ client: String, _ audience: String, _ now: Date) -> String? {
        guard claims["iss"]?.text == client, claims["sub"]?.text == client, claims["aud"]?.text == audience else {
            return "the assertion's iss or sub is not the client, or its aud is not “\(audience)”"
        }
        guard let id = claims["jti"]?.text, id.utf8.count >= shortestID else {
            return "the assertion has no jti of \(shortestID) bytes"
        }
        let seconds = Int(now.timeIntervalSince1970)
        guard let issued = claims["iat"]?.integer, let ending = claims["exp"]?.integer,
            ending - issued <= longestLife, ending > seconds, issued <= seconds + 1
        else { return "the assertion's iat or exp is missing, it has expired, isn't valid yet or lives too long" }
        return nil
    }

    private func isSigned(_ text: Data, _ signature: Data, _ algorithm: String) -> Bool {
        keys.contains { key in
            switch key {
            case .p384(let key):
                guard algorithm == "ES384",
                    let signature = try? P384.Signing.ECDSASignature(rawRepresentation: signature)
                else { return false }
                return key.isValidSignature(signature, for: text)
            case .rsa(let key):
                let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
                return switch algorithm {
                case "RS256": key.isValidSignature(signature, for: SHA256.hash(data: text), padding: .insecurePKCS1v1_5)
                case "RS512": key.isValidSignature(signature, for: SHA512.hash(data: text), padding: .insecurePKCS1v1_5)
                default: false
                }
            }
        }
    }

    private static func object(_ part: String) -> JSONValue? {
        decode(part).flatMap { try? JSONValue(json: Array($0)) }
    }

    private static func decode(_ part: String) -> Data? {
        guard !part.contains("=") else { return nil }
        let text = part.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4))
    }
}
