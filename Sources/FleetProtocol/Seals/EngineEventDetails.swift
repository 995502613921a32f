package import Secrets

/// The details of an event, which only machines with the fleet's keys can read.
package enum EngineEventDetails: Sendable, Equatable {
    /// Tokens were dropped. The event's fence says up to which.
    ///
    /// They were dropped under the names of the sender's keys, which are told by their ``FleetKeys/ids``. A machine with
    /// others drops them under the names of these.
    case dropped(Target, Reason, keys: [String])
    /// A token was stored.
    case stored(EngineTokenID)
    /// A lease was given back without a token.
    case released(EngineTokenID)
    /// A hold of the tenant's calls has begun or ended.
    case holdChanged

    /// The tokens of a drop.
    package enum Target: Sendable, Equatable {
        /// All of the tenant.
        case tenant
        /// All of a user.
        case user(field: UInt8, [UInt8])
        /// Those of a user with certain scopes.
        case token(EngineTokenID)
        /// The one with this fingerprint.
        case reported(EngineTokenID, Fingerprint)
    }

    /// The reason of a drop.
    package enum Reason: Sendable, Equatable {
        /// They are only dropped.
        case eviction
        /// They are revoked, but for those that the sender revokes.
        case logout(revoked: [Fingerprint])
    }

    /// The letter of the kind, which the stream has in the clear.
    package var kind: String {
        switch self {
        case .dropped: "d"
        case .stored: "s"
        case .released: "r"
        case .holdChanged: "h"
        }
    }

    /// The bytes of the plain form at most.
    fileprivate var capacity: Int {
        // The numbers, lengths and one fingerprint take less than this.
        let rest = 96
        switch self {
        case .dropped(let target, let reason, let keys):
            return rest + target.capacity + reason.capacity + keys.reduce(0) { $0 + 4 + $1.utf8.count }
        case .stored(let id), .released(let id): return rest + id.capacity
        case .holdChanged: return rest
        }
    }
}

extension EngineEventDetails.Target {
    fileprivate var capacity: Int {
        switch self {
        case .tenant: 0
        case .user(_, let user): user.count
        case .token(let id), .reported(let id, _): id.capacity
        }
    }
}

extension EngineEventDetails.Reason {
    fileprivate var capacity: Int {
        switch self {
        case .eviction: 0
        case .logout(let revoked): revoked.count * 32
        }
    }
}

extension EngineTokenID {
    fileprivate var capacity: Int { user.count + scopes.utf8.count }
}

extension TenantKeys {
    /// Seals an event.
    ///
    /// - Parameter machine: The sender's name, which is random for each start of a daemon.
    package func seal(_ event: EngineEventDetails, _ names: EngineNames, machine: String) -> EngineEventText? {
        var plain = PlainWriter(capacity: event.capacity)
        plain.append(Self.plainVersion)
        plain.append(event)
        let context = SealContext.event(names, kind: event.kind, machine: machine)
        return seal(plain, context).map { EngineEventText(machine: machine, kind: event.kind, sealed: $0) }
    }

    /// Opens an event, or returns nil if it isn't one of this fleet's, or of a version or kind that isn't known.
    package func open(_ event: EngineEventText, _ names: EngineNames) -> EngineEventDetails? {
        let context = SealContext.event(names, kind: event.kind, machine: event.machine)
        guard
            var plain = open(event.sealed, context, key: nil, in: nil),
            plain.number() == Self.plainVersion,
            let details = plain.event(kind: event.kind),
            plain.isAtEnd
        else { return nil }
        return details
    }
}

extension PlainWriter {
    fileprivate mutating func append(_ event: EngineEventDetails) {
        switch event {
        case .dropped(let target, let reason, let keys):
            append(target)
            append(reason)
            append(UInt8(truncatingIfNeeded: keys.count))
            for key in keys { append(key.utf8) }
        case .stored(let id), .released(let id): append(id)
        case .holdChanged: break
        }
    }

    private mutating func append(_ target: EngineEventDetails.Target) {
        switch target {
        case .tenant: append(UInt8(0))
        case .user(let field, let user):
            append(UInt8(1))
            append(field)
            append(user)
        case .token(let id):
            append(UInt8(2))
            append(id)
        case .reported(let id, let fingerprint):
            append(UInt8(3))
            append(id)
            append(fingerprint)
        }
    }

    private mutating func append(_ reason: EngineEventDetails.Reason) {
        switch reason {
        case .eviction: append(UInt8(0))
        case .logout(let revoked):
            append(UInt8(1))
            append(UInt32(truncatingIfNeeded: revoked.count))
            for fingerprint in revoked { append(fingerprint) }
        }
    }

    private mutating func append(_ fingerprint: Fingerprint) {
        for index in 0..<4 { append(fingerprint.words[index]) }
    }
}

extension PlainReader {
    fileprivate mutating func event(kind: String) -> EngineEventDetails? {
        switch kind {
        case "d":
            guard let target = target(), let reason = reason(), let keys = keyIDs() else { return nil }
            return .dropped(target, reason, keys: keys)
        case "s": return tokenID().map(EngineEventDetails.stored)
        case "r": return tokenID().map(EngineEventDetails.released)
        case "h": return .holdChanged
        default: return nil
        }
    }

    private mutating func target() -> EngineEventDetails.Target? {
        switch number(UInt8.self) {
        case 0: return .tenant
        case 1:
            guard let field = number(UInt8.self), let user = array() else { return nil }
            return .user(field: field, user)
        case 2: return tokenID().map(EngineEventDetails.Target.token)
        case 3:
            guard let id = tokenID(), let fingerprint = fingerprint() else { return nil }
            return .reported(id, fingerprint)
        default: return nil
        }
    }

    private mutating func reason() -> EngineEventDetails.Reason? {
        switch number(UInt8.self) {
        case 0: return .eviction
        case 1:
            guard let count = number(UInt32.self) else { return nil }
            var revoked: [Fingerprint] = []
            for _ in 0..<count {
                // The count is a claim until the fingerprints are there.
                guard let fingerprint = fingerprint() else { return nil }
                revoked.append(fingerprint)
            }
            return .logout(revoked: revoked)
        default: return nil
        }
    }

    private mutating func keyIDs() -> [String]? {
        guard let count = number(UInt8.self), count <= FleetKeys.largestCount else { return nil }
        var keys: [String] = []
        for _ in 0..<count {
            guard let key = text() else { return nil }
            keys.append(key)
        }
        return keys
    }

    private mutating func fingerprint() -> Fingerprint? {
        var words = SIMD4<UInt64>()
        for index in 0..<4 {
            guard let word = number(UInt64.self) else { return nil }
            words[index] = word
        }
        return Fingerprint(words: words)
    }
}
