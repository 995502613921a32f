import Crypto
import CryptoExtras
package import Secrets

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// How a client proves to the tenant that it is that client.
package enum ClientCredential: Sendable, Equatable {
    /// By a secret that both know.
    case secret(ClientSecret)
    /// By signing with a key of which the tenant knows the public half.
    case key(ClientKey)
}

/// The private key of an OAuth client: whoever has it can act as any user of the tenant.
///
/// It is kept as the text that it was read from, in memory for secrets, and read anew for each signature: what the
/// cryptography library makes of it can't be locked. It prints as `<client key>`.
package struct ClientKey: Sendable, Equatable {
    /// Why a text is no key that can be used.
    package struct Fault: Error, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }

        /// What should be there.
        static let general = """
            holds no private key that can be used: it should be in PEM form without a password, P-384 (for ES384) or RSA \
            of 2048 bits or more (for RS256)
            """
    }

    private let pem: SecretBytes
    /// Which of the client's keys it is, as the tenant knows it.
    package let id: String

    /// Reads a key in PEM form, with whatever tools put beside it: P-384 for ES384, or RSA for RS256.
    ///
    /// - Parameter id: The key's id at the tenant; nil: the thumbprint of the public key (RFC 7638).
    package init(_ text: ClientSecret, id: String?) throws(Fault) {
        pem = text.bytes
        let thumbprint = try Self.read(pem).thumbprint
        self.id = id ?? thumbprint
    }

    /// Whether it is the same key under the same id.
    package static func == (left: ClientKey, right: ClientKey) -> Bool {
        guard left.id == right.id else { return false }
        return unsafe right.pem.withUnsafeBytes { unsafe left.pem.matches($0) }
    }

    /// What of the key signs.
    enum Signer {
        case p384(P384.Signing.PrivateKey)
        case rsa(_RSA.Signing.PrivateKey)

        /// The algorithm's name (RFC 7518, section 3.1).
        var algorithm: String {
            switch self {
            case .p384: "ES384"
            case .rsa: "RS256"
            }
        }

        /// Signs as a JWS wants it.
        func signature(of bytes: [UInt8]) throws -> [UInt8] {
            switch self {
            case .p384(let key): Array(try key.signature(for: bytes).rawRepresentation)
            case .rsa(let key):
                Array(
                    try key.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation
                )
            }
        }

        /// The SHA-256 of the public key's required members in their order (RFC 7638, section 3).
        fileprivate var thumbprint: String {
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

    /// The key, ready to sign once.
    func signer() throws(Fault) -> Signer { try Self.read(pem) }

    private static func read(_ pem: SecretBytes) throws(Fault) -> Signer {
        let der = try PrivateKeyText.der(unsafe pem.withUnsafeBytes { unsafe Array($0) })
        if let key = try? P384.Signing.PrivateKey(derRepresentation: der) { return .p384(key) }
        // The library refuses keys of less than 2,048 bits, as the tenant does.
        if let key = try? _RSA.Signing.PrivateKey(derRepresentation: der) { return .rsa(key) }
        throw Fault(Fault.general)
    }
}

extension ClientKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Redacted.
    package var description: String { "<client key>" }
    /// Redacted.
    package var debugDescription: String { description }
    /// Shows nothing of what is inside.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
