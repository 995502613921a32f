import Secrets
import TokenProtocol

/// A cached token and what is known of its use.
///
/// It is a class, owned by the store alone: a hit reads two of its members and writes one, and copying all of them for
/// that would cost more than everything else that a hit does.
final class Entry {
    let key: TokenKey
    var token: EncodedToken
    var life: TokenLife
    /// When the token came.
    var arrived: Instant
    /// When it was last asked for; a refresh is no use of it, nor is a prefetch; nil: never.
    var lastAsked: Instant?
    /// Whether nobody asked for its mint.
    var cameUnasked: Bool
    /// Whether it took the place of a token that an app had reported as refused.
    var replacedReported: Bool
    /// Which token it is, so that a time planned for an earlier one is known to be stale.
    var serial: UInt64
    /// Where it is kept for the next daemon; nil: nowhere.
    var place: Int?

    init(
        key: TokenKey,
        token: EncodedToken,
        life: TokenLife,
        arrived: Instant,
        lastAsked: Instant?,
        cameUnasked: Bool,
        replacedReported: Bool,
        serial: UInt64
    ) {
        self.key = key
        self.token = token
        self.life = life
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

    /// The slot, the index and the planned times of an entry, in bytes: measured by filling a cache, then rounded.
    private static let fixedSize = 600
}
