import TokenProtocol

/// What is remembered of keys besides tokens, bounded in number: past it, what would be forgotten soonest goes.
struct NegativeCache {
    /// Of one user no more are remembered: each has other scopes, and a look-up goes through all of them.
    private static let mostPerUser = 64

    private struct Slot {
        let key: TokenKey
        /// Given once and never again; what was there before a flush has a lower one than what came after it.
        var serial: UInt64
        var entry: NegativeEntry
        var timer: IndexedHeap<Instant, Int>.Handle?
        var nextOfUser: Int?
    }

    private var slots = Slab<Slot>()
    private var index = UserIndex()
    private var timers = IndexedHeap<Instant, Int>()
    /// Of these tenants, what has a serial number up to this is gone.
    private var floors: [TenantID: UInt64] = [:]
    /// Of these tenants, refusals with 401 that have a serial number up to this are gone.
    private var unauthorizedFloors: [TenantID: UInt64] = [:]
    private(set) var refusalCount = 0

    /// How many keys.
    var count: Int { slots.count }

    /// How many times at which something is forgotten are planned: one for each key.
    var timerCount: Int { timers.count }

    /// The slots that there are, for sweeping.
    var indices: Range<Int> { slots.indices }

    /// What is remembered of a key.
    subscript(key: TokenKey) -> NegativeEntry? {
        guard let slot = find(key), let found = slots[slot], !isGone(found) else { return nil }
        return found.entry
    }

    /// Changes what is remembered of a key, and makes room if there are too many.
    mutating func change(
        _ key: TokenKey,
        serial: UInt64,
        now: Instant,
        limit: Int,
        _ change: (inout NegativeEntry) -> Void
    ) {
        forgetIfGone(key)
        let slot = find(key) ?? insert(key, serial, now)
        guard var entry = slots[slot]?.entry else { return }
        refusalCount -= entry.refusal == nil ? 0 : 1
        change(&entry)
        refusalCount += entry.refusal == nil ? 0 : 1
        slots[slot]?.entry = entry
        slots[slot]?.serial = serial
        if let timer = slots[slot]?.timer {
            timers.move(timer, to: entry.forgetAt)
        } else {
            slots[slot]?.timer = timers.insert(slot, at: entry.forgetAt)
        }
        // One is added at a time, so one or two go; a smaller limit is reached little by little.
        for _ in 0..<2 where slots.count > limit {
            if let soonest = timers.min?.payload { remove(soonest) }
        }
    }

    /// Forgets a key.
    mutating func forget(_ key: TokenKey) {
        if let slot = find(key) { remove(slot) }
    }

    /// Forgets all keys of a user, or those with these scopes.
    mutating func forget(_ user: UserKey, scopes: ScopeSet?) {
        var next = first(of: user)
        while let slot = next, let found = slots[slot] {
            next = found.nextOfUser
            if scopes ?? found.key.scopes == found.key.scopes { remove(slot) }
        }
    }

    /// Forgets one that has ended; false: there is none.
    mutating func forgetDue(at now: Instant) -> Bool {
        guard let (time, slot) = timers.min, time <= now else { return false }
        remove(slot)
        return true
    }

    /// When something is to be forgotten next.
    var nextTime: Instant? { timers.minPriority }

    // MARK: Many at once

    /// Forgets all of a tenant with a serial number up to this; ``sweep(_:_:)`` frees the memory afterwards.
    mutating func flush(_ tenant: TenantID, upTo serial: UInt64) { floors[tenant] = serial }

    /// Forgets a tenant's refusals with 401 that have a serial number up to this.
    mutating func forgetUnauthorized(_ tenant: TenantID, upTo serial: UInt64) { unauthorizedFloors[tenant] = serial }

    /// Frees some slots of what is gone.
    ///
    /// - Parameter budget: How many slots to look at; what is left of it afterwards.
    /// - Returns: Whether all slots from there on have been looked at.
    mutating func sweep(from start: inout Int, _ budget: inout Int) -> Bool {
        while start < slots.indices.upperBound, budget > 0 {
            if let found = slots[start], isGone(found) { remove(start) }
            start += 1
            budget -= 1
        }
        return start >= slots.indices.upperBound
    }

    /// A flush's sweep is over: nothing is left below its floor.
    ///
    /// The two floors of a tenant may have one number, and the sweep for one may have passed what only the other drops;
    /// so each ends its own.
    mutating func endFlush(of tenant: TenantID, upTo serial: UInt64) {
        if floors[tenant] == serial { floors[tenant] = nil }
    }

    /// The sweep of refusals with 401 is over.
    mutating func endForgettingUnauthorized(of tenant: TenantID, upTo serial: UInt64) {
        if unauthorizedFloors[tenant] == serial { unauthorizedFloors[tenant] = nil }
    }

    private func isGone(_ slot: Slot) -> Bool {
        guard !floors.isEmpty || !unauthorizedFloors.isEmpty else { return false }
        let tenant = slot.key.user.tenant
        if slot.serial <= floors[tenant] ?? 0 { return true }
        return slot.serial <= unauthorizedFloors[tenant] ?? 0 && slot.entry.refusal?.upstream.status == 401
    }

    // MARK: Slots

    private func first(of user: UserKey) -> Int? {
        index.find(UserIndex.hash(user)) { slots[$0]?.key.user == user }
    }

    private func find(_ key: TokenKey) -> Int? {
        var next = first(of: key.user)
        while let slot = next, let found = slots[slot] {
            if found.key.scopes == key.scopes { return slot }
            next = found.nextOfUser
        }
        return nil
    }

    private mutating func forgetIfGone(_ key: TokenKey) {
        if let slot = find(key), let found = slots[slot], isGone(found) { remove(slot) }
    }

    private mutating func insert(_ key: TokenKey, _ serial: UInt64, _ now: Instant) -> Int {
        forgetOldest(of: key.user)
        let first = first(of: key.user)
        let slot = slots.insert(Slot(key: key, serial: serial, entry: NegativeEntry(now: now), nextOfUser: first))
        let hash = UserIndex.hash(key.user)
        if let first { index.replace(hash, first, with: slot) } else { index.insert(hash, slot) }
        return slot
    }

    private mutating func forgetOldest(of user: UserKey) {
        var (count, oldest, next) = (0, nil as Int?, first(of: user))
        while let slot = next, let found = slots[slot] { (count, oldest, next) = (count + 1, slot, found.nextOfUser) }
        if count >= Self.mostPerUser, let oldest { remove(oldest) }
    }

    private mutating func remove(_ slot: Int) {
        guard let found = slots[slot] else { return }
        refusalCount -= found.entry.refusal == nil ? 0 : 1
        if let timer = found.timer { timers.remove(timer) }
        unlink(slot, found)
        slots.remove(slot)
    }

    private mutating func unlink(_ slot: Int, _ found: Slot) {
        let hash = UserIndex.hash(found.key.user)
        guard var previous = first(of: found.key.user), previous != slot else {
            if let next = found.nextOfUser {
                index.replace(hash, slot, with: next)
            } else {
                index.remove(hash, slot)
            }
            return
        }
        while let following = slots[previous]?.nextOfUser, following != slot { previous = following }
        slots[previous]?.nextOfUser = found.nextOfUser
    }
}
