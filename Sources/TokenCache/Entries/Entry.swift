import Secrets
import TokenProtocol

/// A cached token and what is known of its use.
///
/// It is a class, owned by the store alone: a hit reads two of its members and writes one, and copying all of them for
/// that would cost more than everything else that a hit does.
final class Entry {
    typealias Timer = IndexedHeap<Instant, Int>.Handle

    let key: TokenKey
    let token: EncodedToken
    var life: TokenLife
    /// The store's count of policies when the life was laid out: under another policy it is laid out anew.
    var policyNumber: UInt32
    /// When the token came.
    let arrived: Instant
    /// When it was last asked for; a refresh is no use of it, nor is a prefetch; nil: never.
    var lastAsked: Instant?
    /// Whether nobody asked for its mint.
    let cameUnasked: Bool
    /// Whether it took the place of a token that an app had reported as refused.
    let replacedReported: Bool
    /// Given once and never again; what was there before a flush has a lower one than what came after it.
    let serial: UInt64
    /// Where it is persisted for the next daemon, as long as the store's count of persistences is the same.
    var record: (id: Int, persistence: UInt32)?
    /// The last use that the next daemon has been told of.
    var persistedUse: Instant?
    /// The timer of its refresh deadline.
    var refreshTimer: Timer?
    /// The timer of its end.
    var expiryTimer: Timer?

    init(
        key: TokenKey,
        token: EncodedToken,
        life: TokenLife,
        policyNumber: UInt32,
        arrived: Instant,
        lastAsked: Instant?,
        cameUnasked: Bool,
        replacedReported: Bool,
        serial: UInt64
    ) {
        self.key = key
        self.token = token
        self.life = life
        self.policyNumber = policyNumber
        self.arrived = arrived
        self.lastAsked = lastAsked
        self.cameUnasked = cameUnasked
        self.replacedReported = replacedReported
        self.serial = serial
    }

    /// Whether nobody has asked since a refresh brought it.
    var isUnusedRefresh: Bool { cameUnasked && lastAsked.map { $0 < arrived } ?? true }

    /// Bytes of memory, about: the token's text, the key's, and the fixed parts.
    var size: Int { token.text.count + key.user.user.value.count + Self.fixedSize }

    /// The slot, the index and the timers of an entry, in bytes: measured by filling a cache, then rounded.
    private static let fixedSize = 600
}
