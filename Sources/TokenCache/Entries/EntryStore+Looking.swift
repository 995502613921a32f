import Secrets
import TokenProtocol
import TokenStorage

/// Looking at entries.
extension EntryStore {
    /// The entry in a slot.
    subscript(slot: Int) -> Entry? {
        guard contains(slot) else { return nil }
        let record = records[slots[slot].record]
        guard let field = record.field else { return nil }
        let user = UserLookup(field: field, value: unsafe Array(record.user))
        let (group, clock) = (slots[slot].group, memory.clock)
        return Entry(
            slot: slot,
            key: TokenKey(tenant: slots.groups.tenant(of: group), user: user, scopes: slots.groups.scopes(of: group)),
            life: TokenLife(sent: clock.instant(at: record.sent), ages(of: slot)),
            arrived: clock.instant(at: record.arrived),
            lastUsed: record.lastUsed == TokenRecord.never ? nil : clock.instant(at: record.lastUsed),
            isUnrequested: record.isUnrequested,
            replacedReported: record.replacedReported,
            expiresAt: WallTime(seconds: record.expiresAt),
            fingerprintPrefix: record.fingerprintPrefix,
            fence: FleetFence(record.fence),
            hasRefreshTimer: hasRefreshTimer(slot)
        )
    }

    /// Returns a time as records have it.
    func time(of instant: Instant) -> Int64 { memory.clock.nanoseconds(of: instant) }

    /// True if records of an earlier daemon have not been read.
    var hasUnreadRecords: Bool { memory.storage.isRestoring }

    /// Returns the age of an entry's token at a time.
    func age(of slot: Int, at time: Int64) -> Int64 { time - records[slots[slot].record].sent }

    /// Returns the ages of an entry's token.
    func ages(of slot: Int) -> TokenAges {
        let record = records[slots[slot].record]
        return TokenAges(lifetime: record.lifetime, jitter: record.jitter, policy: policy)
    }

    /// Returns the life of a new token.
    func newLife(sent: Instant, lifetime: Duration, jitter: UInt16) -> TokenLife {
        TokenLife(sent: sent, lifetime: lifetime, jitter: jitter, policy: policy)
    }

    /// Returns a copy of an entry's token, which outlives the entry.
    func token(of slot: Int) -> GrantedToken { token(of: slots[slot].record) }

    /// Returns a copy of a record's token, which outlives the record.
    func token(of id: RecordID) -> GrantedToken {
        let record = records[id]
        let scope = records[class: record.classID].tokenClass.grantedScope
        return GrantedToken(
            record.accessToken(in: memory.secrets),
            scope: scope,
            expiresAt: WallTime(seconds: record.expiresAt)
        )
    }

    /// True if an entry has the token with a fingerprint.
    func hasToken(_ slot: Int, _ fingerprint: Fingerprint) -> Bool {
        let record = records[slots[slot].record]
        return record.fingerprintPrefix == fingerprint.words[0] && record.fingerprint == fingerprint
    }

    /// Returns the text of an entry's token, which is valid until the entry is removed.
    func text(of slot: Int) -> TokenText {
        let record = records[slots[slot].record]
        return unsafe TokenText(
            token: record.escapedToken,
            scope: records[class: record.classID].escapedScope,
            expiresAt: WallTime(seconds: record.expiresAt)
        )
    }
}
