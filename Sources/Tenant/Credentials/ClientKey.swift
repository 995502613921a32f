import Crypto
import CryptoExtras
package import Secrets

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The private key of an OAuth client: whoever has it can act as any user of the tenant.
///
/// It is kept as the text that it was read from, in memory for secrets, and parsed again for each signature, because
/// the cryptography library's own copy can't be locked in memory. It prints as `<client key>`.
package struct ClientKey: Sendable, Equatable {
    /// The reason why a text is not a usable key.
    package struct Fault: Error, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }

        /// The sentence for a text without a usable key.
        static let general = """
            holds no private key that can be used: it should be in PEM form without a password, P-384 (for ES384) or RSA \
            of 2048 bits or more (for RS256 or RS512)
            """
    }

    /// The algorithm of signatures (RFC 7518, section 3.1).
    package enum Algorithm: String, Sendable, CaseIterable {
        case es384 = "ES384"
        case rs256 = "RS256"
        case rs512 = "RS512"
    }

    private let pem: SecretBytes
    /// The key's id at the tenant.
    package let id: String
    /// The algorithm that it signs with.
    package let algorithm: Algorithm

    /// Reads a key in PEM form: P-384 for ES384, or RSA for RS256 and RS512.
    ///
    /// Other text and other blocks in the file are skipped.
    ///
    /// - Parameters:
    ///   - id: The key's id at the tenant, or nil for the thumbprint of the public key (RFC 7638).
    ///   - algorithm: The algorithm, or nil for the first one of the key's kind.
    package init(_ text: ClientSecret, id: String?, algorithm: Algorithm? = nil) throws(Fault) {
        pem = text.bytes
        let signer = try Self.read(pem)
        self.algorithm = algorithm ?? signer.algorithms[0]
        guard signer.algorithms.contains(self.algorithm) else {
            let names = signer.algorithms.map(\.rawValue).joined(separator: " or ")
            throw Fault("holds a key for \(names), which can't sign with \(self.algorithm.rawValue)")
        }
        self.id = id ?? signer.thumbprint
    }

    /// Returns true if both are the same key under the same id, with the same algorithm.
    package static func == (left: ClientKey, right: ClientKey) -> Bool {
        guard left.id == right.id, left.algorithm == right.algorithm else { return false }
        return unsafe right.pem.withUnsafeBytes { unsafe left.pem.matches($0) }
    }

    /// Parses the key, to sign with it once.
    func signer() throws(Fault) -> Signer { try Self.read(pem) }

    private static func read(_ pem: SecretBytes) throws(Fault) -> Signer {
        let der = try PrivateKeyText.der(unsafe pem.withUnsafeBytes { unsafe Array($0) })
        if let key = try? P384.Signing.PrivateKey(derRepresentation: der) { return .p384(key) }
        // The library rejects keys of less than 2,048 bits, as the tenant does.
        if let key = try? _RSA.Signing.PrivateKey(derRepresentation: der) { return .rsa(key) }
        throw Fault(Fault.general)
    }
}

extension ClientKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The redacted text.
    package var description: String { "<client key>" }
    /// The redacted text.
    package var debugDescription: String { description }
    /// A mirror without children.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
