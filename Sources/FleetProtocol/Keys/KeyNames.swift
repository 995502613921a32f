package import Secrets

/// Makes the names of a tenant's keys in the engine.
///
/// They contain no user and no scope, only keyed hashes of them.
package struct KeyNames: Sendable {
    /// The names of the tenant's own keys.
    package let tenant: EngineNames
    private let keys: TenantKeys
    private let start: String

    /// Creates the names.
    ///
    /// - Parameter prefix: The text before each name, without braces.
    package init(prefix: String, _ keys: TenantKeys) {
        self.keys = keys
        let start = "\(prefix):{\(keys.tag)}:"
        self.start = start
        tenant = EngineNames(
            bucket: start + "bucket",
            hold: start + "hold",
            generation: start + "generation",
            fence: start + "fence",
            events: start + "events",
            eventCount: start + "count"
        )
    }

    /// The name of the set of machines, which belongs to no tenant.
    package static func machines(prefix: String) -> String { "\(prefix):machines" }

    /// The names of a token's keys under each of the fleet's keys.
    package func token(_ id: EngineTokenID) -> [EngineTokenNames] {
        keys.pairs.map { pair in
            let user = keys.name([Array("user".utf8), [id.field], id.user], pair.name)
            let token = keys.name([Array("token".utf8), [id.field], id.user, Array(id.scopes.utf8)], pair.name)
            return EngineTokenNames(
                value: "\(start)v:\(token)",
                lease: "\(start)l:\(token)",
                refusal: "\(start)r:\(token)",
                generation: "\(start)g:\(token)",
                userGeneration: "\(start)u:\(user)",
                index: "\(start)i:\(user)"
            )
        }
    }

    /// The names that a drop of all of a user's tokens needs, under each of the fleet's keys.
    package func user(field: UInt8, _ user: [UInt8]) -> [EngineTokenNames] {
        token(EngineTokenID(field: field, user: user, scopes: ""))
    }

    /// The marks of a token under each of the fleet's keys, by which a report of a rejected token finds it.
    package func marks(_ fingerprint: Fingerprint) -> [String] {
        keys.pairs.map { keys.name([Array("mark".utf8), fingerprint.bytes], $0.name) }
    }

    /// The name by which one machine of the fleet claims the revocation of a token.
    ///
    /// During a change of keys machines may use different names. Then a token is revoked twice, which does no harm.
    package func claim(_ fingerprint: Fingerprint) -> String {
        let hash = keys.pairs.first.map { keys.name([Array("claim".utf8), fingerprint.bytes], $0.name) } ?? ""
        return "\(start)c:\(hash)"
    }
}

extension Fingerprint {
    /// The 32 bytes of the hash.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<4 { bytes.append(bigEndian: words[index]) }
        return bytes
    }
}
