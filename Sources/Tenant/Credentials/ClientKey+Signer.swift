import Crypto
import CryptoExtras

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension ClientKey {
    /// A parsed key, in the form in which the cryptography library signs with it.
    enum Signer {
        case p384(P384.Signing.PrivateKey)
        case rsa(_RSA.Signing.PrivateKey)

        /// The algorithms that the key can sign with, the usual one first.
        var algorithms: [Algorithm] {
            switch self {
            case .p384: [.es384]
            case .rsa: [.rs256, .rs512]
            }
        }

        /// Returns the signature in the form that a JWS has (RFC 7518, section 3).
        ///
        /// - Parameter algorithm: One of the key's algorithms.
        func signature(of bytes: [UInt8], _ algorithm: Algorithm) throws -> [UInt8] {
            switch self {
            case .p384(let key): return Array(try key.signature(for: bytes).rawRepresentation)
            case .rsa(let key):
                let padding = _RSA.Signing.Padding.insecurePKCS1v1_5
                let signature =
                    algorithm == .rs512
                    ? try key.signature(for: SHA512.hash(data: bytes), padding: padding)
                    : try key.signature(for: SHA256.hash(data: bytes), padding: padding)
                return Array(signature.rawRepresentation)
            }
        }

        /// The SHA-256 of the public key's required members, ordered by name (RFC 7638, section 3).
        var thumbprint: String {
            let members =
                switch self {
                case .p384(let key): Self.members(key.publicKey)
                case .rsa(let key): Self.members(key.publicKey)
                }
            return Base64URL.encode(Array(SHA256.hash(data: Array(members.utf8))))
        }

        private static func members(_ key: P384.Signing.PublicKey) -> String {
            let point = Array(key.rawRepresentation)
            let (x, y) = (Base64URL.encode(Array(point[..<48])), Base64URL.encode(Array(point[48...])))
            return #"{"crv":"P-384","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
        }

        private static func members(_ key: _RSA.Signing.PublicKey) -> String {
            guard let numbers = try? key.getKeyPrimitives() else { return "" }
            let (exponent, modulus) = (Array(numbers.publicExponent), Array(numbers.modulus))
            return #"{"e":"\#(Base64URL.encode(exponent))","kty":"RSA","n":"\#(Base64URL.encode(modulus))"}"#
        }
    }
}
