import TokenProtocol

/// All calls that have not ended, found by ID, and mints also by key and by user.
struct CallTable {
    private var slots = UserSlab<Call>()
    /// The queued prefetches of all tenants, in the order of queueing.
    private(set) var prefetches = FairQueue()

    /// The number of calls.
    var count: Int { slots.count }

    /// The range of slots, for walking through the calls in slices.
    var indices: Range<Int> { slots.indices }

    subscript(id: CallID) -> Call? {
        guard let call = slots[id.slot], call.id == id else { return nil }
        return call
    }

    /// Changes a call in place.
    mutating func update(_ id: CallID, _ change: (inout Call) -> Void) {
        guard slots[id.slot]?.id == id else { return }
        slots.update(id.slot, change)
    }

    /// Queues a call at another position, or notes that it was sent.
    mutating func move(_ id: CallID, to phase: Call.Phase) {
        guard let call = self[id] else { return }
        let place = movePrefetch(id, from: call.prefetchPlace, to: phase)
        update(id) { ($0.phase, $0.prefetchPlace) = (phase, place) }
    }

    private mutating func movePrefetch(
        _ id: CallID,
        from old: FairQueue.Ticket?,
        to phase: Call.Phase?
    ) -> FairQueue.Ticket? {
        if let old { prefetches.remove(old) }
        guard case .queued(.prefetch(let ticket)) = phase else { return nil }
        return prefetches.append(id, for: ticket.peer)
    }

    /// Returns the call in a slot.
    func call(at slot: Int) -> Call? { slots[slot] }

    /// Returns the latest mint of a key.
    ///
    /// - Parameter floor: The serial number up to which calls belong to an older generation.
    func current(_ key: TokenKey, above floor: UInt64) -> CallID? {
        let slot = slots.firstSlot(of: key.user) { call in
            guard let mint = call.mint else { return false }
            return mint.key.scopes == key.scopes && mint.fate == .current && call.id.serial > floor
        }
        return slot.flatMap { slots[$0]?.id }
    }

    /// Returns all mints of a user, of any generation.
    func mints(of user: UserKey) -> [CallID] { slots.slots(of: user).compactMap { slots[$0]?.id } }

    /// The ID of the call that is inserted next.
    func nextID(serial: UInt64) -> CallID { CallID(slot: slots.nextIndex, serial: serial) }

    /// Inserts a call that has the ID from ``nextID(serial:)``.
    mutating func insert(_ call: Call) {
        var call = call
        call.prefetchPlace = movePrefetch(call.id, from: nil, to: call.phase)
        _ = slots.insert(call, of: call.mint?.key.user)
    }

    @discardableResult
    mutating func remove(_ id: CallID) -> Call? {
        guard let call = self[id] else { return nil }
        _ = movePrefetch(id, from: call.prefetchPlace, to: nil)
        slots.remove(id.slot)
        return call
    }
}
