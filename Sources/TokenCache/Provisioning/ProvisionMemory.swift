import TokenProtocol

/// The users that were provisioned lately, bounded in number.
///
/// Beyond the limit the one that would be forgotten soonest is removed.
struct ProvisionMemory {
    private struct Slot {
        let user: UserKey
        let content: ProvisionContent
        let reply: ProvisionReply
        let until: Instant
        /// A unique number.
        ///
        /// Users from before a flush have lower numbers than those after it.
        let serial: UInt64
        var timer: IndexedHeap<Instant, Int>.Handle?
    }

    private var slots = UserSlab<Slot>()
    private var timers = IndexedHeap<Instant, Int>()
    /// The serial number per tenant up to which users are forgotten.
    private var floors: [TenantID: UInt64] = [:]

    /// The number of users.
    var count: Int { slots.count }

    /// The time at which the next user is forgotten.
    var nextTime: Instant? { timers.minPriority }

    /// Returns the reply to a request if it was provisioned with the same content.
    func reply(to content: ProvisionContent, _ user: UserKey, at now: Instant) -> ProvisionReply? {
        guard let slot = find(user), let found = slots[slot], found.content == content, found.until > now,
            !isGone(found)
        else { return nil }
        return found.reply
    }

    /// Remembers a user, and forgets others beyond the limit.
    mutating func remember(
        _ user: UserKey,
        _ content: ProvisionContent,
        _ reply: ProvisionReply,
        until: Instant,
        serial: UInt64,
        limit: Int
    ) {
        forget(user)
        let slot = slots.insert(
            Slot(user: user, content: content, reply: reply, until: until, serial: serial),
            of: user
        )
        let timer = timers.insert(slot, at: until)
        slots.update(slot) { $0.timer = timer }
        // One user is added at a time, so one or two are removed. A smaller limit is reached step by step.
        for _ in 0..<2 where slots.count > limit {
            if let soonest = timers.min?.payload { remove(soonest) }
        }
    }

    /// Forgets a user.
    mutating func forget(_ user: UserKey) {
        if let slot = find(user) { remove(slot) }
    }

    /// Forgets one user whose time has come, or returns false if there is none.
    mutating func forgetDue(at now: Instant) -> Bool {
        guard let (time, slot) = timers.min, time <= now else { return false }
        remove(slot)
        return true
    }

    // MARK: Many at once

    /// Forgets all users of a tenant with a serial number up to this.
    ///
    /// ``sweep(from:_:)`` frees the memory afterwards.
    mutating func flush(_ tenant: TenantID, upTo serial: UInt64) { floors[tenant] = serial }

    /// Frees some slots of forgotten users.
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

    /// Ends a sweep, after which nothing is left below its floor.
    mutating func endFlush(of tenant: TenantID, upTo serial: UInt64) {
        if floors[tenant] == serial { floors[tenant] = nil }
    }

    private func isGone(_ slot: Slot) -> Bool { slot.serial <= floors[slot.user.tenant] ?? 0 }

    private func find(_ user: UserKey) -> Int? { slots.firstSlot(of: user) { _ in true } }

    private mutating func remove(_ slot: Int) {
        guard let found = slots[slot] else { return }
        if let timer = found.timer { timers.remove(timer) }
        slots.remove(slot)
    }
}
