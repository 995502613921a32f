import Crypto
import Glibc
import Secrets

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// AES-256-GCM with random nonces.
///
/// A sealed value is the version, the nonce, the ciphertext, and the tag. With random nonces of 96 bits, a key may seal
/// 2³² values (NIST SP 800-38D, section 8.3): at a hundred mints a minute that takes eighty years.
extension TenantKeys {
    /// The version of the form, with which each sealed value begins.
    private static let version: UInt8 = 1
    private static let nonceLength = 12
    private static let tagLength = 16

    /// Seals a value with the first key, and overwrites it.
    func seal(_ plain: consuming PlainWriter, _ context: SealContext) -> [UInt8]? {
        defer { plain.wipe() }
        guard let pair = pairs.first else { return nil }
        let box = try? AES.GCM.seal(plain.bytes, using: pair.seal, authenticating: additionalData(context))
        guard let box else { return nil }
        var sealed = [Self.version]
        sealed.reserveCapacity(1 + Self.nonceLength + box.ciphertext.count + Self.tagLength)
        sealed.append(contentsOf: box.nonce)
        sealed.append(contentsOf: box.ciphertext)
        sealed.append(contentsOf: box.tag)
        return sealed
    }

    /// Opens a value, or returns nil if no key of the fleet has sealed it for this place.
    ///
    /// - Parameters:
    ///   - number: The number of the key under whose names it was found, or nil to try all.
    ///   - memory: The memory for the value, or nil for the heap.
    func open(_ sealed: [UInt8], _ context: SealContext, key number: Int?, in memory: SecretMemory?) -> PlainReader? {
        guard sealed.count >= 1 + Self.nonceLength + Self.tagLength, sealed[0] == Self.version else { return nil }
        let ciphertext = sealed[(1 + Self.nonceLength)..<(sealed.count - Self.tagLength)]
        guard
            let nonce = try? AES.GCM.Nonce(data: sealed[1..<(1 + Self.nonceLength)]),
            let box = try? AES.GCM.SealedBox(
                nonce: nonce,
                ciphertext: ciphertext,
                tag: sealed.suffix(Self.tagLength)
            )
        else { return nil }
        let additional = additionalData(context)
        let tried = number.map { pairs.indices.contains($0) ? [pairs[$0]] : [] } ?? pairs
        for pair in tried {
            guard var plain = try? AES.GCM.open(box, using: pair.seal, authenticating: additional) else { continue }
            defer {
                unsafe plain.withUnsafeMutableBytes { bytes in
                    if let start = bytes.baseAddress { unsafe explicit_bzero(start, bytes.count) }
                }
            }
            return unsafe plain.withUnsafeBytes { bytes in
                unsafe SecretBytes(copying: bytes, in: memory).map(PlainReader.init)
            }
        }
        return nil
    }

    private func additionalData(_ context: SealContext) -> [UInt8] {
        var fence: [UInt8] = []
        fence.append(bigEndian: context.fence)
        return lengthPrefixed(
            [context.kind, context.name, host, clientID, context.epoch].map { Array($0.utf8) } + [fence]
        )
    }
}
