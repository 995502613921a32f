/// The use of the second level: what is asked of it, who waits for it, and what is known of it.
struct FleetState {
    /// A drop whose answer is awaited.
    struct OpenDrop {
        let drop: FleetDrop
        let isRepeated: Bool
        /// The peer that has made it, or nil if an operator or nobody that is known has.
        var peer: Peer?
        /// The logout that waits for the answer.
        var logout: Waiters.ID?
    }

    /// True if there is a second level.
    private(set) var isOn = false
    /// The machines that were seen in the last minute, this one included.
    private(set) var machines = 1
    private var tenants: [TenantID: FleetTenantState] = [:]
    private var looks: [CallID: FleetLookUp] = [:]
    private var openDrops: [FleetDropID: OpenDrop] = [:]
    /// The tokens that are revoked if this machine may.
    private var claimedTokens: [CallID: DroppedToken] = [:]
    /// The mints that were queued in the present event.
    private var queued: [CallID] = []
    private var timers = IndexedHeap<Instant, FleetTimer>()
    var statistics = FleetStatistics()

    /// The state of a tenant.
    subscript(tenant: TenantID) -> FleetTenantState {
        get { tenants[tenant, default: FleetTenantState()] }
        _modify { yield &tenants[tenant, default: FleetTenantState()] }
    }

    /// True if the second level answers for a tenant.
    func isConnected(_ tenant: TenantID) -> Bool { isOn && tenants[tenant]?.isConnected == true }

    /// True if nothing is awaited, and no call waits for another machine.
    var isIdle: Bool {
        looks.isEmpty && openDrops.isEmpty && claimedTokens.isEmpty && queued.isEmpty
            && tenants.values.allSatisfy(\.isIdle)
    }

    // MARK: Switching

    mutating func begin(_ policy: FleetPolicy) {
        (isOn, machines) = (true, policy.machines)
    }

    /// Ends the use.
    ///
    /// Orders under way are still answered.
    mutating func end() { (isOn, machines) = (false, 1) }

    /// Forgets the state of a tenant that is not configured any more.
    mutating func forget(_ tenant: TenantID) { tenants[tenant] = nil }

    mutating func count(_ machines: Int) { self.machines = max(1, machines) }

    // MARK: Looks

    mutating func expect(_ call: CallID, _ look: FleetLookUp) {
        looks[call] = look
        self[look.tenant].ordered(look.purpose)
    }

    mutating func takeLook(_ call: CallID) -> FleetLookUp? {
        guard let look = looks.removeValue(forKey: call) else { return nil }
        tenants[look.tenant]?.answered(look.purpose)
        return look
    }

    /// True if the answer to a look of a call is awaited.
    func isLookedUp(_ call: CallID) -> Bool { looks[call] != nil }

    /// Notes that what a look finds may be outdated.
    mutating func outdate(_ call: CallID) { looks[call]?.isOutdated = true }

    // MARK: Queued mints

    mutating func noteQueued(_ call: CallID) { queued.append(call) }

    mutating func takeQueued() -> [CallID] {
        guard !queued.isEmpty else { return [] }
        defer { queued = [] }
        return queued
    }

    // MARK: Drops

    mutating func expect(_ drop: FleetDropID, _ open: OpenDrop) { openDrops[drop] = open }

    mutating func setLogout(_ logout: Waiters.ID, of drop: FleetDropID) { openDrops[drop]?.logout = logout }

    mutating func takeDrop(_ drop: FleetDropID) -> OpenDrop? { openDrops.removeValue(forKey: drop) }

    // MARK: Revocations

    mutating func expect(_ call: CallID, _ token: DroppedToken) { claimedTokens[call] = token }

    /// Returns a token that is to be revoked, or nil if there is none.
    func claimedToken(_ call: CallID) -> DroppedToken? { claimedTokens[call] }

    mutating func takeToken(_ call: CallID) -> DroppedToken? { claimedTokens.removeValue(forKey: call) }

    // MARK: Timers

    var nextTime: Instant? { timers.minPriority }

    mutating func setTimer(_ timer: FleetTimer, at time: Instant) -> IndexedHeap<Instant, FleetTimer>.Handle {
        timers.insert(timer, at: time)
    }

    mutating func removeTimer(_ handle: IndexedHeap<Instant, FleetTimer>.Handle) { timers.remove(handle) }

    mutating func takeTimer(upTo now: Instant) -> FleetTimer? { timers.removeMin(upTo: now) }
}
