import DequeModule

/// The state of a tenant in the second level, as far as this machine knows it.
struct FleetTenantState {
    /// The number of looks at the second level that take nothing, at a time.
    ///
    /// A machine that begins cold with thousands of prefetches doesn't fill the connection with them.
    static let maxPeeks = 256

    /// The hold that this machine has begun, as far as the states of the limits that are read don't know of it.
    enum OwnHold {
        /// There is none, or each state that is read knows of it.
        case none
        /// The other machines have not been told of it.
        case untold
        /// They were told of it, and no state has been asked for since.
        case told
    }

    /// The engine's process that answers, or nil if none does.
    private(set) var epoch: String?
    /// The time of the last connection or disconnection.
    private(set) var since: Instant?
    /// A number above all drops that have been heard of, and not below the fence of any token.
    ///
    /// It knows only fences that the engine has given out, above which all later drops are. The engine's time may be ahead
    /// for a moment: a token with such a fence would outlive logouts.
    private(set) var clock = FleetFence.none
    /// The highest fence of a token that was cached.
    private(set) var highestCached = FleetFence.none
    /// The looks that take a lease, and the payments, which have not been answered.
    private(set) var claims = 0
    /// The time at which its suspect entries have expired.
    var endOfSuspects: Instant?
    /// True if a timer repeats its drops that were not answered.
    var repeatsDrops = false
    /// The last hold that this machine has begun.
    var ownHold = OwnHold.none
    /// The calls that were sent while the second level was away.
    var unpaid = UnpaidCalls()
    private var peeks = 0
    /// The calls that are looked up when others have been answered.
    private var waitingPeeks: Deque<CallID> = []
    /// The drops that this machine has made.
    var drops = FleetDrops()

    /// The leases that are given back when the second level answers again, with the ends of the leases.
    private var lateOrders: Deque<(order: FleetOrder, end: Instant)> = []

    /// True if the second level answers.
    var isConnected: Bool { epoch != nil }

    /// True if nothing is under way.
    var isIdle: Bool { claims == 0 && peeks == 0 && waitingPeeks.isEmpty && !drops.isUnderWay }

    // MARK: The connection

    mutating func connect(_ epoch: String, now: Instant) {
        if self.epoch == nil { since = now }
        self.epoch = epoch
    }

    /// Notes that the second level doesn't answer, and returns false if that was known.
    mutating func disconnect(now: Instant) -> Bool {
        guard epoch != nil else { return false }
        (epoch, since) = (nil, now)
        // It may have been lost on its way, and another process of the engine may not know it.
        if ownHold == .told { ownHold = .untold }
        waitingPeeks = []
        return true
    }

    // MARK: Leases

    /// Keeps the giving back of a lease until the second level answers.
    mutating func keep(_ order: FleetOrder, until end: Instant, now: Instant) {
        while let first = lateOrders.first, first.end <= now { lateOrders.removeFirst() }
        if lateOrders.count < Self.maxPeeks { lateOrders.append((order, end)) }
    }

    /// Takes the orders that were kept and whose leases have not ended.
    mutating func takeKept(now: Instant) -> [FleetOrder] {
        defer { lateOrders = [] }
        return lateOrders.filter { $0.end > now }.map(\.order)
    }

    // MARK: Fences

    /// Notes the fence of a token or of a lease.
    mutating func note(_ fence: FleetFence) { clock = max(clock, fence) }

    /// Notes a drop, so that everything that is asked for from now on is known to be later.
    mutating func noteDrop(_ fence: FleetFence) { note(FleetFence(fence.number + 1)) }

    mutating func noteCached(_ fence: FleetFence) { highestCached = max(highestCached, fence) }

    // MARK: Looks

    mutating func ordered(_ purpose: FleetLookUp.Purpose) {
        if purpose == .peek { peeks += 1 } else { claims += 1 }
    }

    mutating func answered(_ purpose: FleetLookUp.Purpose) {
        if purpose == .peek { peeks -= 1 } else { claims -= 1 }
    }

    /// True if one more look may be ordered.
    ///
    /// Otherwise the call is kept for later.
    mutating func admitsPeek(of call: CallID) -> Bool {
        guard peeks >= Self.maxPeeks else { return true }
        waitingPeeks.append(call)
        return false
    }

    /// Takes the next call that is looked up.
    mutating func takeWaitingPeek() -> CallID? { peeks < Self.maxPeeks ? waitingPeeks.popFirst() : nil }
}
