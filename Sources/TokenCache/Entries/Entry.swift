import Secrets
import TokenProtocol

/// A cached token and its use.
///
/// It is a class, owned by the store alone. A hit reads two of its members and writes one, and copying all of them
/// would cost more than the rest of the hit.
final class Entry {
    typealias Timer = IndexedHeap<Instant, Int>.Handle

    let key: TokenKey
    let token: EncodedToken
    var life: TokenLife
    /// The store's policy number when the life was computed.
    ///
    /// Under another policy it is recomputed.
    var policyNumber: UInt32
    /// The time at which the token was received.
    let arrived: Instant
    /// The time of the last request for it, or nil if there was none.
    ///
    /// Refreshes and prefetches don't count.
    var lastUsed: Instant?
    /// True if no request caused its mint.
    let isUnrequested: Bool
    /// True if it replaced a token that an app had reported as rejected.
    let replacedReported: Bool
    /// A unique number.
    ///
    /// Entries from before a flush have lower numbers than those after it.
    let serial: UInt64
    /// Its record ID, and the number of the persistence period in which it is valid.
    var record: (id: Int, persistence: UInt32)?
    /// The last use that was persisted.
    var persistedUse: Instant?
    /// The timer of its refresh deadline.
    var refreshTimer: Timer?
    /// The timer of its expiry.
    var expiryTimer: Timer?

    init(
        key: TokenKey,
        token: EncodedToken,
        life: TokenLife,
        policyNumber: UInt32,
        arrived: Instant,
        lastUsed: Instant?,
        isUnrequested: Bool,
        replacedReported: Bool,
        serial: UInt64
    ) {
        self.key = key
        self.token = token
        self.life = life
        self.policyNumber = policyNumber
        self.arrived = arrived
        self.lastUsed = lastUsed
        self.isUnrequested = isUnrequested
        self.replacedReported = replacedReported
        self.serial = serial
    }

    /// True if it was refreshed and has not been used since.
    var isUnusedRefresh: Bool { isUnrequested && lastUsed.map { $0 < arrived } ?? true }

    /// The approximate size in bytes: the token's text, the key's text and the fixed parts.
    var size: Int { token.text.count + key.user.user.value.count + Self.fixedSize }

    /// The size in bytes of an entry's slot, index and timers, measured by filling a cache, then rounded.
    private static let fixedSize = 600
}
