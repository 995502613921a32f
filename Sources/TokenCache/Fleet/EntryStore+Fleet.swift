import TokenProtocol
import TokenStorage

/// Entries that a drop may concern of which this machine has not heard.
extension EntryStore {
    /// Returns the slot of a key's entry if it may be served without a look at the second level.
    func findHit(
        _ tenant: TenantID,
        _ field: LookupField,
        _ user: borrowing Span<UInt8>,
        _ scopes: ScopeSet
    ) -> Int? {
        guard let slot = find(tenant, field, user, scopes) else { return nil }
        guard hasRestrictions else { return slot }
        return isSuspect(slot) ? nil : slot
    }

    /// True if a drop may concern an entry that was lost on its way to this machine.
    func isSuspect(_ slot: Int) -> Bool {
        guard let bound = suspects[tenant(of: slot)] else { return false }
        return fence(of: slot) <= bound && !verified.contains(slots[slot].record)
    }

    /// Returns the fence of an entry's token.
    func fence(of slot: Int) -> FleetFence { FleetFence(records[slots[slot].record].fence) }

    /// Makes all entries of a tenant up to a fence suspect.
    mutating func suspect(_ tenant: TenantID, upTo fence: FleetFence) {
        suspects[tenant] = max(suspects[tenant] ?? .none, fence)
        verified = []
    }

    /// Ends the suspicion against a tenant's entries.
    mutating func trust(_ tenant: TenantID) {
        suspects[tenant] = nil
        if suspects.isEmpty { verified = [] }
    }

    /// Notes a new record, which may have the number of an earlier one.
    ///
    /// - Parameter isVerified: True if its token was found in the second level just now.
    mutating func note(_ record: RecordID, isVerified: Bool) {
        guard !suspects.isEmpty else { return }
        if isVerified { verified.insert(record) } else { verified.remove(record) }
    }
}
