import Secrets
import TokenProtocol

/// A cached token as its record was at the moment of the look.
///
/// It stays as it is when the record changes or goes. A hit doesn't need it.
struct Entry {
    let slot: Int
    let key: TokenKey
    /// Its life under the present policy.
    let life: TokenLife
    /// The time at which the token was received.
    let arrived: Instant
    /// The time of the last request for it, or nil if there was none.
    ///
    /// Refreshes and prefetches don't count.
    let lastUsed: Instant?
    /// True if no request caused its mint.
    let isUnrequested: Bool
    /// True if it replaced a token that an app had reported as rejected.
    let replacedReported: Bool
    /// The token's end by the wall clock.
    let expiresAt: WallTime
    /// The first 64 bits of the token's SHA-256.
    let fingerprintPrefix: UInt64
    /// The fence of its mint, none if no fleet knows of it.
    let fence: FleetFence
    /// True if a timer will refresh it.
    let hasRefreshTimer: Bool

    /// The first digits of the token's SHA-256.
    var shortFingerprint: String { Fingerprint(words: [fingerprintPrefix, 0, 0, 0]).short }

    /// True if it was refreshed and has not been used since.
    var isUnusedRefresh: Bool { isUnrequested && lastUsed.map { $0 < arrived } ?? true }
}
