import Crypto
import Secrets

/// A tenant's keys, derived from the fleet's (HKDF with SHA-256, RFC 5869).
///
/// A value that is sealed for one tenant and OAuth client doesn't open for another. A tenant is identified by its
/// host and client ID, as machines may have different names for it. The keys are overwritten when they are released.
package struct TenantKeys: Sendable {
    /// The keys that come from one of the fleet's keys.
    struct Pair: Sendable {
        /// The key that seals values.
        let seal: SymmetricKey
        /// The key of names and marks.
        let name: SymmetricKey
    }

    /// The tenant's host, as an origin such as `https://example.eu.qlikcloud.com`.
    package let host: String
    package let clientID: String
    /// The derived keys, in the order of the fleet's.
    let pairs: [Pair]

    /// Derives a tenant's keys.
    package init(_ keys: FleetKeys, host: String, clientID: String) {
        (self.host, self.clientID) = (host, clientID)
        pairs = keys.keys.map { key in
            let derive = { (purpose: String) in
                let info = lengthPrefixed([purpose, host, clientID].map { Array($0.utf8) })
                return unsafe key.withUnsafeBytes { bytes in
                    HKDF<SHA256>.deriveKey(
                        inputKeyMaterial: unsafe SymmetricKey(data: bytes),
                        info: info,
                        outputByteCount: FleetKeys.length
                    )
                }
            }
            return Pair(seal: derive("tokencached fleet seal 1"), name: derive("tokencached fleet names 1"))
        }
    }

    /// The part of a tenant's key names that selects the slot of a cluster.
    ///
    /// It depends on no key, so that a change of keys moves nothing to another slot.
    var tag: String {
        let parts = ["tokencached fleet tenant", host, clientID].map { Array($0.utf8) }
        return Base64.urlText(SHA256.hash(data: lengthPrefixed(parts)).prefix(12))
    }

    /// A keyed hash for a name, 22 characters.
    func name(_ parts: [[UInt8]], _ key: SymmetricKey) -> String {
        // 128 bits are enough, as nobody without the key can search for two inputs with the same hash.
        Base64.urlText(HMAC<SHA256>.authenticationCode(for: lengthPrefixed(parts), using: key).prefix(16))
    }
}
