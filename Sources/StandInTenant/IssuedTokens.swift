import Crypto

/// The tokens that the stand-in has handed out, by their digests, so that many of them take little room.
package struct IssuedTokens: Sendable {
    private struct Record {
        var end: ContinuousClock.Instant
        var isRevoked = false
        /// The status with which a revocation is refused.
        var revocationStatus: Int?
    }

    private var records: [[UInt8]: Record] = [:]

    /// No tokens.
    package init() {}

    /// Remembers a token.
    package mutating func add(_ token: String, until end: ContinuousClock.Instant, revocationStatus: Int? = nil) {
        records[Self.digest(token)] = Record(end: end, revocationStatus: revocationStatus)
    }

    /// Whether a token was handed out here, hasn't run out and isn't revoked.
    package func isLive(_ token: String, at now: ContinuousClock.Instant) -> Bool {
        guard let record = records[Self.digest(token)] else { return false }
        return !record.isRevoked && now < record.end
    }

    /// Whether a token was handed out here, living or not.
    package func isKnown(_ token: String) -> Bool {
        records[Self.digest(token)] != nil
    }

    /// The status with which revoking a token is refused, where its behaviour said so.
    package func revocationStatus(_ token: String) -> Int? {
        records[Self.digest(token)]?.revocationStatus
    }

    /// Ends a token; whether it was live.
    package mutating func revoke(_ token: String, at now: ContinuousClock.Instant) -> Bool {
        let wasLive = isLive(token, at: now)
        records[Self.digest(token)]?.isRevoked = true
        return wasLive
    }

    private static func digest(_ token: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(token.utf8)))
    }
}
