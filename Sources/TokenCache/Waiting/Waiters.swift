import TokenProtocol

/// Tracks the requests that wait for a reply: callers for a mint, logouts for their revocations, provisions.
///
/// Each waiter is found by name, by call, by uid and by deadline, and is in a list of its call and in one of its uid.
/// So nothing has to be searched.
struct Waiters {
    /// Identifies a waiter by its slot and a number that is never reused.
    struct ID: Equatable {
        fileprivate let slot: Int
        fileprivate let serial: UInt64
    }

    /// The event that a waiter waits for.
    enum Goal: Equatable {
        /// A mint.
        ///
        /// If it fails and `acceptsStale` is true, a cached token with too little time left will do.
        case mint(CallID, acceptsStale: Bool)
        /// The revocations of a logout.
        case logout(Logout)
        /// A job at the tenant's API.
        case job(JobID)
        /// The restoring of a key's entry, after which the request is judged anew.
        case restoring(TokenKey, RequestOptions)

        /// True if a call for tokens or their revocation is waited for.
        ///
        /// A waiter for the API alone doesn't hold up refreshes.
        fileprivate var needsTokenTier: Bool {
            switch self {
            case .mint: true
            case .logout(let logout): !logout.open.isEmpty
            case .job, .restoring: false
            }
        }
    }

    /// A waiter.
    struct Member {
        let waiter: Waiter
        let peer: PeerUID
        let tenant: TenantID
        let since: Instant
        let deadline: Instant
        var goal: Goal
        /// The trace that its request belongs to, or nil if it belongs to none.
        let trace: TraceContext?
        fileprivate let serial: UInt64
        fileprivate var timer: IndexedHeap<Instant, Int>.Handle?
        fileprivate var inCall = Link()
        fileprivate var ofPeer = Link()

        fileprivate subscript(kind: ListKind) -> Link {
            get { kind == .call ? inCall : ofPeer }
            set { if kind == .call { inCall = newValue } else { ofPeer = newValue } }
        }
    }

    /// The two lists that each waiter is in.
    fileprivate enum ListKind {
        case call
        case peer
    }

    /// The neighbours in a list.
    fileprivate struct Link {
        var previous = none
        var next = none
    }

    /// The waiters of one call, in the order of their arrival.
    struct List: Equatable {
        fileprivate var first = none
        fileprivate var last = none
        fileprivate(set) var count = 0
        var isEmpty: Bool { count == 0 }
    }

    private static let none: Int32 = -1
    /// The number of waiters among which one with a trace is looked for.
    ///
    /// Apps send a trace with all their requests or with none, so the first waiters show it.
    private static let maxTraceLook = 64

    private var members = Slab<Member>()
    private var slots = ShardedDictionary<Waiter, Int>()
    private var peers: [PeerUID: List] = [:]
    private var tenants: [TenantID: Int] = [:]
    private var deadlines = IndexedHeap<Instant, Int>()
    private var lastSerial: UInt64 = 0

    /// The number of waiters.
    var count: Int { members.count }

    /// Returns the number of waiters for calls of a tenant's token tier.
    func count(for tenant: TenantID) -> Int { tenants[tenant] ?? 0 }

    /// The number of waiters per uid.
    var countsByPeer: [PeerUID: Int] { peers.mapValues(\.count) }

    /// Returns the number of a uid's waiters.
    func count(of peer: PeerUID) -> Int { peers[peer]?.count ?? 0 }

    /// The next deadline of any waiter.
    var nextDeadline: Instant? { deadlines.minPriority }

    subscript(id: ID) -> Member? {
        guard let member = members[id.slot], member.serial == id.serial else { return nil }
        return member
    }

    /// Returns the waiter with a name.
    func find(_ waiter: Waiter) -> ID? {
        slots[waiter].flatMap { slot in members[slot].map { ID(slot: slot, serial: $0.serial) } }
    }

    /// Adds a waiter, to the list of its call.
    mutating func add(
        _ waiter: Waiter,
        of peer: PeerUID,
        at tenant: TenantID,
        for goal: Goal,
        since: Instant,
        until deadline: Instant,
        in trace: TraceContext? = nil,
        to list: inout List
    ) -> ID {
        lastSerial += 1
        let member = Member(
            waiter: waiter,
            peer: peer,
            tenant: tenant,
            since: since,
            deadline: deadline,
            goal: goal,
            trace: trace,
            serial: lastSerial
        )
        let slot = members.insert(member)
        slots[waiter] = slot
        members[slot]?.timer = deadlines.insert(slot, at: deadline)
        if goal.needsTokenTier { tenants[tenant, default: 0] += 1 }
        Self.append(slot, to: &peers[peer, default: List()], .peer, in: &members)
        Self.append(slot, to: &list, .call, in: &members)
        return ID(slot: slot, serial: lastSerial)
    }

    /// Removes a waiter.
    ///
    /// - Parameter list: The list of its call.
    @discardableResult
    mutating func remove(_ id: ID, from list: inout List) -> Member? {
        guard let member = self[id] else { return nil }
        Self.unlink(id.slot, from: &list, .call, in: &members)
        Self.unlink(id.slot, from: &peers[member.peer, default: List()], .peer, in: &members)
        if peers[member.peer]?.isEmpty == true { peers[member.peer] = nil }
        if let timer = member.timer { deadlines.remove(timer) }
        if member.goal.needsTokenTier { leave(member.tenant) }
        slots[member.waiter] = nil
        members.remove(id.slot)
        return member
    }

    /// Changes the event that a waiter waits for.
    mutating func setGoal(_ goal: Goal, of id: ID) {
        guard let member = self[id] else { return }
        if member.goal.needsTokenTier { leave(member.tenant) }
        if goal.needsTokenTier { tenants[member.tenant, default: 0] += 1 }
        members[id.slot]?.goal = goal
    }

    private mutating func leave(_ tenant: TenantID) {
        tenants[tenant, default: 0] -= 1
        if tenants[tenant] == 0 { tenants[tenant] = nil }
    }

    /// Returns the first waiter of a list.
    func first(of list: List) -> ID? { id(list.first) }

    /// Returns the trace context of the first waiter of a list that has one.
    func firstTrace(of list: List) -> TraceContext? {
        var slot = list.first
        for _ in 0..<min(list.count, Self.maxTraceLook) {
            guard let member = members[Int(slot)] else { return nil }
            if let trace = member.trace { return trace }
            slot = member.inCall.next
        }
        return nil
    }

    /// Moves the first waiter of a list to its end.
    mutating func rotate(_ list: inout List) {
        let slot = Int(list.first)
        guard list.count > 1 else { return }
        Self.unlink(slot, from: &list, .call, in: &members)
        Self.append(slot, to: &list, .call, in: &members)
    }

    /// Returns the last waiter of a uid.
    func last(of peer: PeerUID) -> ID? { peers[peer].flatMap { id($0.last) } }

    /// The uid with the most waiters.
    var busiest: (peer: PeerUID, count: Int)? {
        peers.max { ($0.value.count, $0.key) < ($1.value.count, $1.key) }.map { ($0.key, $0.value.count) }
    }

    /// The number of uids with waiters.
    var peerCount: Int { peers.count }

    /// Returns a waiter whose deadline has come.
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
