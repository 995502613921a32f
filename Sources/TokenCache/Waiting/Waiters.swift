import TokenProtocol

/// Everyone who waits for an answer: callers for a mint, logouts for their revocations.
///
/// Each is found by name, by call, by uid and by deadline, and stands in a list of its call and in one of its uid, so
/// that none of them is searched for.
struct Waiters {
    /// Names one who waits, by the slot and a number that is never given again.
    struct ID: Equatable {
        fileprivate let slot: Int
        fileprivate let serial: UInt64
    }

    /// What somebody waits for.
    enum Goal: Equatable {
        /// A mint; `acceptsStale`: where it fails, a cached token that has too little left will do.
        case mint(CallID, acceptsStale: Bool)
        /// These revocations of a logout, and whether the tenant took all that have ended.
        case logout(open: [CallID], allTaken: Bool)
    }

    /// One who waits.
    struct Member {
        let waiter: Waiter
        let peer: PeerUID
        let tenant: TenantID
        let deadline: Instant
        var goal: Goal
        fileprivate let serial: UInt64
        fileprivate var timer: IndexedHeap<Instant, Int>.Handle?
        fileprivate var inCall = Link()
        fileprivate var ofPeer = Link()

        fileprivate subscript(kind: ListKind) -> Link {
            get { kind == .call ? inCall : ofPeer }
            set { if kind == .call { inCall = newValue } else { ofPeer = newValue } }
        }
    }

    /// Everyone stands in two lists.
    fileprivate enum ListKind {
        case call
        case peer
    }

    /// The neighbours in a list.
    fileprivate struct Link {
        var previous = none
        var next = none
    }

    /// Those who wait for one call, in the order in which they came.
    struct List: Equatable {
        fileprivate var first = none
        fileprivate var last = none
        fileprivate(set) var count = 0
        var isEmpty: Bool { count == 0 }
    }

    private static let none: Int32 = -1

    private var members = Slab<Member>()
    private var slots: [Waiter: Int] = [:]
    private var peers: [PeerUID: List] = [:]
    private var tenants: [TenantID: Int] = [:]
    private var deadlines = IndexedHeap<Instant, Int>()
    private var lastSerial: UInt64 = 0

    /// How many wait.
    var count: Int { members.count }

    /// How many wait for a tenant.
    func count(for tenant: TenantID) -> Int { tenants[tenant] ?? 0 }

    /// How many of each uid wait.
    var countsByPeer: [PeerUID: Int] { peers.mapValues(\.count) }

    /// How many of a uid wait.
    func count(of peer: PeerUID) -> Int { peers[peer]?.count ?? 0 }

    /// When the next wait ends.
    var nextDeadline: Instant? { deadlines.minPriority }

    subscript(id: ID) -> Member? {
        guard let member = members[id.slot], member.serial == id.serial else { return nil }
        return member
    }

    /// The one with a name.
    func find(_ waiter: Waiter) -> ID? {
        slots[waiter].flatMap { slot in members[slot].map { ID(slot: slot, serial: $0.serial) } }
    }

    /// Somebody begins to wait; a caller is added to the list of the call.
    mutating func add(
        _ waiter: Waiter,
        of peer: PeerUID,
        at tenant: TenantID,
        for goal: Goal,
        until deadline: Instant,
        to list: inout List
    ) -> ID {
        lastSerial += 1
        let member = Member(
            waiter: waiter,
            peer: peer,
            tenant: tenant,
            deadline: deadline,
            goal: goal,
            serial: lastSerial
        )
        let slot = members.insert(member)
        slots[waiter] = slot
        members[slot]?.timer = deadlines.insert(slot, at: deadline)
        tenants[tenant, default: 0] += 1
        Self.append(slot, to: &peers[peer, default: List()], .peer, in: &members)
        Self.append(slot, to: &list, .call, in: &members)
        return ID(slot: slot, serial: lastSerial)
    }

    /// Somebody waits no longer.
    ///
    /// - Parameter list: The list in which the caller stands.
    @discardableResult
    mutating func remove(_ id: ID, from list: inout List) -> Member? {
        guard let member = self[id] else { return nil }
        Self.unlink(id.slot, from: &list, .call, in: &members)
        Self.unlink(id.slot, from: &peers[member.peer, default: List()], .peer, in: &members)
        if peers[member.peer]?.isEmpty == true { peers[member.peer] = nil }
        if let timer = member.timer { deadlines.remove(timer) }
        tenants[member.tenant, default: 0] -= 1
        if tenants[member.tenant] == 0 { tenants[member.tenant] = nil }
        slots[member.waiter] = nil
        members.remove(id.slot)
        return member
    }

    /// Changes what somebody waits for.
    mutating func setGoal(_ goal: Goal, of id: ID) {
        guard self[id] != nil else { return }
        members[id.slot]?.goal = goal
    }

    /// The first of a list.
    func first(of list: List) -> ID? { id(list.first) }

    /// Moves the first of a list to its end.
    mutating func rotate(_ list: inout List) {
        let slot = Int(list.first)
        guard list.count > 1 else { return }
        Self.unlink(slot, from: &list, .call, in: &members)
        Self.append(slot, to: &list, .call, in: &members)
    }

    /// The last of a uid that came.
    func last(of peer: PeerUID) -> ID? { peers[peer].flatMap { id($0.last) } }

    /// The uid with the most who wait.
    var greediest: (peer: PeerUID, count: Int)? {
        peers.max { ($0.value.count, $0.key) < ($1.value.count, $1.key) }.map { ($0.key, $0.value.count) }
    }

    /// The number of uids that have somebody waiting.
    var peerCount: Int { peers.count }

    /// One whose time is over.
    func due(at now: Instant) -> ID? {
        guard let (deadline, slot) = deadlines.min, deadline <= now else { return nil }
        return id(Int32(slot))
    }

    // MARK: Lists

    private func id(_ slot: Int32) -> ID? {
        guard slot != Self.none, let member = members[Int(slot)] else { return nil }
        return ID(slot: Int(slot), serial: member.serial)
    }

    private static func append(_ slot: Int, to list: inout List, _ kind: ListKind, in members: inout Slab<Member>) {
        members[slot]?[kind] = Link(previous: list.last, next: none)
        if list.last == none {
            list.first = Int32(slot)
        } else {
            members[Int(list.last)]?[kind].next = Int32(slot)
        }
        list.last = Int32(slot)
        list.count += 1
    }

    private static func unlink(_ slot: Int, from list: inout List, _ kind: ListKind, in members: inout Slab<Member>) {
        guard let own = members[slot]?[kind] else { return }
        if own.previous == none {
            list.first = own.next
        } else {
            members[Int(own.previous)]?[kind].next = own.next
        }
        if own.next == none {
            list.last = own.previous
        } else {
            members[Int(own.next)]?[kind].previous = own.previous
        }
        members[slot]?[kind] = Link()
        list.count -= 1
    }
}
