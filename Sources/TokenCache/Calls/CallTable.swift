import TokenProtocol

/// All calls that have not ended, found by ID, and mints also by key and by user.
struct CallTable {
    private struct Slot {
        var call: Call
        /// The next mint of the same user.
        var nextOfUser: Int?

        mutating func change(_ change: (inout Call) -> Void) { change(&call) }
    }

    private var slots = Slab<Slot>()
    private var index = UserIndex()

    /// The number of calls.
    var count: Int { slots.count }

    /// The range of slots, for walking through the calls in slices.
    var indices: Range<Int> { slots.indices }

    subscript(id: CallID) -> Call? {
        get {
            guard let call = slots[id.slot]?.call, call.id == id else { return nil }
            return call
        }
        set {
            guard slots[id.slot]?.call.id == id, let newValue else { return }
            slots[id.slot]?.call = newValue
        }
    }

    /// Changes a call in place.
    mutating func update(_ id: CallID, _ change: (inout Call) -> Void) {
        guard slots[id.slot]?.call.id == id else { return }
        slots[id.slot]?.change(change)
    }

    /// Returns the call in a slot.
    func call(at slot: Int) -> Call? { slots[slot]?.call }

    /// Returns the latest mint of a key.
    ///
    /// - Parameter floor: The serial number up to which calls belong to an older generation.
    func current(_ key: TokenKey, above floor: UInt64) -> CallID? {
        var next = first(of: key.user)
        while let slot = next, let found = slots[slot] {
            if let mint = found.call.mint, mint.key.scopes == key.scopes, mint.fate == .current,
                found.call.id.serial > floor
            {
                return found.call.id
            }
            next = found.nextOfUser
        }
        return nil
    }

    /// Returns all mints of a user, of any generation.
    func mints(of user: UserKey) -> [CallID] {
        var found: [CallID] = []
        var next = first(of: user)
        while let slot = next, let present = slots[slot] {
            found.append(present.call.id)
            next = present.nextOfUser
        }
        return found
    }

    /// Returns the ID of the call that is inserted next.
    func nextID(serial: UInt64) -> CallID { CallID(slot: slots.nextIndex, serial: serial) }

    /// Inserts a call that has the ID from ``nextID(serial:)``.
    mutating func insert(_ call: Call) {
        let user = call.mint?.key.user
        let first = user.flatMap { self.first(of: $0) }
        let slot = slots.insert(Slot(call: call, nextOfUser: first))
        guard let user else { return }
        let hash = UserIndex.hash(user)
        if let first { index.replace(hash, first, with: slot) } else { index.insert(hash, slot) }
    }

    @discardableResult
    mutating func remove(_ id: CallID) -> Call? {
        guard let call = self[id] else { return nil }
        if let user = call.mint?.key.user { unlink(id.slot, user) }
        slots.remove(id.slot)
        return call
    }

    private func first(of user: UserKey) -> Int? {
        index.find(UserIndex.hash(user)) { slots[$0]?.call.mint?.key.user == user }
    }

    private mutating func unlink(_ slot: Int, _ user: UserKey) {
        let hash = UserIndex.hash(user)
        let next = slots[slot]?.nextOfUser
        guard var previous = first(of: user), previous != slot else {
            if let next { index.replace(hash, slot, with: next) } else { index.remove(hash, slot) }
            return
        }
        while let following = slots[previous]?.nextOfUser, following != slot { previous = following }
        slots[previous]?.nextOfUser = next
    }
}
