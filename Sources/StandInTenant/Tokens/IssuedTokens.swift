import Crypto
import FoundationEssentials

/// The tokens that the stand-in has issued, by their digests to save memory.
struct IssuedTokens: Sendable {
    /// The state of a token.
    struct Record: Sendable {
        fileprivate var end: Date
        fileprivate var isRevoked = false
        /// The status with which a revocation is refused, if it is.
        fileprivate(set) var revocationStatus: Int?
    }

    private var records: [SHA256Digest: Record] = [:]

    /// The state of a token, if it was issued here.
    subscript(token: String) -> Record? { records[Self.digest(token)] }

    /// Adds a token.
    mutating func add(_ token: String, until end: Date, revocationStatus: Int?) {
        records[Self.digest(token)] = Record(end: end, revocationStatus: revocationStatus)
    }

    /// Returns true if a token was issued here, hasn't expired and isn't revoked.
    func isLive(_ token: String, at now: Date) -> Bool {
        self[token].map { record in !record.isRevoked && now < record.end } ?? false
    }

    /// Revokes a token, and returns true if it was live.
    mutating func revoke(_ token: String, at now: Date) -> Bool {
        defer { records[Self.digest(token)]?.isRevoked = true }
        return isLive(token, at: now)
    }

    private static func digest(_ token: String) -> SHA256Digest { SHA256.hash(data: Data(token.utf8)) }
}
