import TokenProtocol

/// Negative entries by key, bounded in number.
///
/// Beyond the limit the entry that would be forgotten soonest is removed.
struct NegativeCache {
    /// The maximum number of entries per user.
    ///
    /// Each has other scopes, and a look-up goes through all of them.
    private static let maxPerUser = 64

    private struct Slot {
        let key: TokenKey
        /// A unique number.
        ///
        /// Entries from before a flush have lower numbers than those after it.
        var serial: UInt64
        var entry: NegativeEntry
        var timer: IndexedHeap<Instant, Int>.Handle?

        var isUnauthorized: Bool { entry.denial?.upstream.status == 401 }
    }

    private var slots = UserSlab<Slot>()
    private var timers = IndexedHeap<Instant, Int>()
    /// The serial number per tenant up to which entries are gone.
    private var floors: [TenantID: UInt64] = [:]
    /// The serial number per tenant up to which denials with 401 are gone.
    private var unauthorizedFloors: [TenantID: UInt64] = [:]
    private(set) var denialCount = 0

    /// The number of keys.
    var count: Int { slots.count }

    /// The number of timers, one per key.
    var timerCount: Int { timers.count }

    /// The range of slots, for sweeping.
    var indices: Range<Int> { slots.indices }

    /// The negative entry of a key.
    subscript(key: TokenKey) -> NegativeEntry? {
        guard let slot = find(key), let found = slots[slot], !isGone(found) else { return nil }
        return found.entry
    }

    /// Changes the negative entry of a key, and removes others beyond the limit.
    mutating func change(
        _ key: TokenKey,
        serial: UInt64,
        now: Instant,
        limit: Int,
        _ change: (inout NegativeEntry) -> Void
    ) {
        forgetIfGone(key)
        let slot = find(key) ?? insert(key, serial, now)
        guard var changed = slots[slot] else { return }
        denialCount -= changed.entry.denial == nil ? 0 : 1
        change(&changed.entry)
        denialCount += changed.entry.denial == nil ? 0 : 1
        changed.serial = serial
        if let timer = changed.timer {
            timers.move(timer, to: changed.entry.forgetAt)
        } else {
            changed.timer = timers.insert(slot, at: changed.entry.forgetAt)
        }
        slots.update(slot) { $0 = changed }
        // One entry is added at a time, so one or two are removed. A smaller limit is reached step by step.
        for _ in 0..<2 where slots.count > limit {
            if let soonest = timers.min?.payload { remove(soonest) }
        }
    }

    /// Removes the entry of a key.
    mutating func forget(_ key: TokenKey) {
        if let slot = find(key) { remove(slot) }
    }

    /// Removes the entries of a user, or those with these scopes.
    mutating func forget(_ user: UserKey, scopes: ScopeSet?) {
        for slot in slots.slots(of: user) {
            if let found = slots[slot], scopes ?? found.key.scopes == found.key.scopes { remove(slot) }
        }
    }

    /// Forgets the denials and failures of a user, but not the reports of rejected tokens.
    mutating func forgetDenials(of user: UserKey) {
        for slot in slots.slots(of: user) {
            guard let found = slots[slot] else { continue }
            guard found.entry.report != nil else {
                remove(slot)
                continue
            }
            denialCount -= found.entry.denial == nil ? 0 : 1
            slots.update(slot) { ($0.entry.denial, $0.entry.recentFailure) = (nil, nil) }
        }
    }

    /// Removes the entries of a further client that was denied with 401.
    mutating func forgetUnauthorized(_ client: UserKey) {
        for slot in slots.slots(of: client) where slots[slot]?.isUnauthorized == true { remove(slot) }
    }

    /// Removes one entry that is due, or returns false if there is none.
    mutating func forgetDue(at now: Instant) -> Bool {
        guard let (time, slot) = timers.min, time <= now else { return false }
        remove(slot)
        return true
    }

    /// The time at which the next entry is due.
    var nextTime: Instant? { timers.minPriority }

    // MARK: Many at once

    /// Drops all entries of a tenant with a serial number up to this.
    ///
    /// ``sweep(from:_:)`` frees the memory afterwards.
    mutating func flush(_ tenant: TenantID, upTo serial: UInt64) { floors[tenant] = serial }

    /// Drops a tenant's denials of users with 401 that have a serial number up to this.
    mutating func forgetUnauthorized(_ tenant: TenantID, upTo serial: UInt64) { unauthorizedFloors[tenant] = serial }

    /// Frees some slots of dropped entries.
    ///
    /// - Parameter budget: The number of slots to look at, reduced by those that were.
    /// - Returns: True if all slots have been looked at.
    mutating func sweep(from start: inout Int, _ budget: inout Int) -> Bool {
        while start < slots.indices.upperBound, budget > 0 {
            if let found = slots[start], isGone(found) { remove(start) }
            start += 1
            budget -= 1
        }
        return start >= slots.indices.upperBound
    }

    /// Ends a flush's sweep, after which nothing is left below its floor.
    ///
    /// The two floors of a tenant may have the same number, and the sweep for one may have passed entries that only the
    /// other drops. So each sweep ends only its own floor.
    mutating func endFlush(of tenant: TenantID, upTo serial: UInt64) {
        if floors[tenant] == serial { floors[tenant] = nil }
    }

    /// Ends the sweep of denials with 401.
    mutating func endForgettingUnauthorized(of tenant: TenantID, upTo serial: UInt64) {
        if unauthorizedFloors[tenant] == serial { unauthorizedFloors[tenant] = nil }
    }

    private func isGone(_ slot: Slot) -> Bool {
        guard !floors.isEmpty || !unauthorizedFloors.isEmpty else { return false }
        let tenant = slot.key.user.tenant
        if slot.serial <= floors[tenant] ?? 0 { return true }
        // Denials of a further client's own tokens have nothing to do with the client that acts for users.
        return slot.serial <= unauthorizedFloors[tenant] ?? 0 && slot.isUnauthorized && !slot.key.user.isClient
    }

    // MARK: Slots

    private func find(_ key: TokenKey) -> Int? {
        slots.firstSlot(of: key.user) { $0.key.scopes == key.scopes }
    }

    private mutating func forgetIfGone(_ key: TokenKey) {
        if let slot = find(key), let found = slots[slot], isGone(found) { remove(slot) }
    }

    private mutating func insert(_ key: TokenKey, _ serial: UInt64, _ now: Instant) -> Int {
        forgetOldest(of: key.user)
        return slots.insert(Slot(key: key, serial: serial, entry: NegativeEntry(now: now)), of: key.user)
    }

    private mutating func forgetOldest(of user: UserKey) {
        let own = slots.slots(of: user)
        if own.count >= Self.maxPerUser, let oldest = own.last { remove(oldest) }
    }

    private mutating func remove(_ slot: Int) {
        guard let found = slots[slot] else { return }
        denialCount -= found.entry.denial == nil ? 0 : 1
        if let timer = found.timer { timers.remove(timer) }
        slots.remove(slot)
    }
}
