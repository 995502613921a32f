import Crypto

/// The secrets that the stand-in's client may use.
package struct ClientSecrets: Sendable {
    /// A client of the tenant can have that many live secrets.
    static let maximum = 5

    private let texts: [String]
    private let digests: [SHA256Digest]

    /// One to five secrets, none of them empty.
    package init(_ secrets: [String]) throws {
        guard (1...Self.maximum).contains(secrets.count), !secrets.contains("") else {
            throw StandInTenant.Fault("a client has one to \(Self.maximum) secrets, none of them empty")
        }
        texts = secrets
        digests = secrets.map(Self.digest)
    }

    /// Whether a text is one of them.
    ///
    /// Digests are compared, all of them and each in constant time, so that the time it takes doesn't tell how near a
    /// guess comes.
    package func accept(_ secret: String) -> Bool {
        let given = Self.digest(secret)
        return digests.reduce(into: 0) { count, known in count += known == given ? 1 : 0 } > 0
    }

    /// Whether one of them stands somewhere in a body.
    package func areCarried(by body: [UInt8]) -> Bool {
        let text = String(decoding: body, as: UTF8.self)
        return texts.contains { secret in text.contains(secret) }
    }

    private static func digest(_ text: String) -> SHA256Digest {
        SHA256.hash(data: Array(text.utf8))
    }
}
