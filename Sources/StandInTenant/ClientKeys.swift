import Crypto
import CryptoExtras
import FoundationEssentials

/// The public keys that the stand-in's client has registered, and the assertions that were made with them.
package struct ClientKeys: Sendable {
    /// RFC 7523 leaves it open; the contract has five minutes.
    private static let longestLife = 300

    private enum PublicKey {
        case p384(P384.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
    }

    /// What became of an assertion.
    enum Verdict: Equatable {
        /// It is the client's.
        case accepted
        /// It was signed by somebody else.
        case refused
        /// It breaks a rule of the contract.
        case wrong(String)
    }

    private let keys: [PublicKey]
    private var usedIDs: Set<String> = []

    /// Keys in PEM form: P-384 or RSA.
    package init(_ texts: [String]) throws {
        keys = try texts.map { text in
            if let key = try? P384.Signing.PublicKey(pemRepresentation: text) { return .p384(key) }
            guard let key = try? _RSA.Signing.PublicKey(pemRepresentation: text) else {
                throw StandInTenant.Fault("a client's public key is in PEM form, P-384 or RSA")
            }
            return .rsa(key)
        }
    }

    /// Checks an assertion, which may be used once.
    mutating func verdict(on assertion: String, from clientID: String, to audience: String, at now: WallTime) -> Verdict
    {
        let parts = assertion.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            let signature = Self.decode(parts[2])
        else { return .wrong("the assertion is no JWS in compact form") }
        guard let kid = header["kid"]?.text, !kid.isEmpty else { return .wrong("the assertion's header has no kid") }
        guard let algorithm = header["alg"]?.text, ["ES384", "RS256"].contains(algorithm) else {
            return .wrong("the assertion's algorithm is neither ES384 nor RS256")
        }
        if let fault = claimFault(claims, clientID, audience, now) { return .wrong(fault) }
        guard isSigned(Array((parts[0] + "." + parts[1]).utf8), signature, algorithm) else { return .refused }
        guard let id = claims["jti"]?.text, usedIDs.insert(id).inserted else {
            return .wrong("the assertion was used before")
        }
        return .accepted
    }

    private func claimFault(_ claims: JSONValue, _ clientID: String, _ audience: String, _ now: WallTime) -> String? {
        guard claims["iss"]?.text == clientID, claims["sub"]?.text == clientID else {
            return "the assertion's iss or sub is not the client"
        }
        guard claims["aud"]?.text == audience else { return "the assertion's aud is not “\(audience)”" }
        guard let id = claims["jti"]?.text, id.utf8.count >= 16 else { return "the assertion has no jti of any length" }
        guard case .number(let issued)? = claims["iat"], case .number(let ending)? = claims["exp"],
            let issued = Int(issued), let ending = Int(ending)
        else { return "the assertion has no iat or exp in whole seconds" }
        guard ending - issued <= Self.longestLife, ending > now.seconds, issued <= now.seconds + 1 else {
            return "the assertion's time has passed, has not come or is too long"
        }
        return nil
    }

    private func isSigned(_ text: [UInt8], _ signature: [UInt8], _ algorithm: String) -> Bool {
        keys.contains { key in
            switch key {
            case .p384(let key):
                guard algorithm == "ES384",
                    let signature = try? P384.Signing.ECDSASignature(rawRepresentation: signature)
                else { return false }
                return key.isValidSignature(signature, for: text)
            case .rsa(let key):
                let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
                return algorithm == "RS256"
                    && key.isValidSignature(signature, for: SHA256.hash(data: text), padding: .insecurePKCS1v1_5)
            }
        }
    }

    private static func object(_ part: String) -> JSONValue? { decode(part).flatMap { try? JSONReader.value(of: $0) } }

    private static func decode(_ part: String) -> [UInt8]? {
        guard !part.contains("=") else { return nil }
        let text = part.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)).map(Array.init)
    }
}
