import DequeModule
import TokenProtocol

/// The drops that this machine has made, which are repeated where the second level may have lost them.
///
/// A drop is noted by one process of the engine. If another one takes over, it may not know of the drop, and machines that
/// were cut off may never hear of it. So each drop is remembered for as long as a token may live.
struct FleetDrops {
    /// The maximum number of remembered drops.
    static let maxRemembered = 10_000
    /// The number of repeated drops that are under way at a time.
    static let maxRepeated = 64
    /// The time before a drop that was not answered is repeated.
    static let pause = Duration.seconds(1)
    /// The time for which the machine that has logged a user out may be the only one that claims the user's tokens: many
    /// times what its own look at the engine takes.
    static let claimPause = Duration.seconds(2)

    private struct Remembered {
        var drop: FleetDrop
        let at: Instant
        /// The process that has noted it last, or nil if none has.
        var epoch: String?
        var isUnderWay = false
        /// The number of connections when it was sent last.
        var connection = 0
        /// The number of emptyings when it was sent last.
        var emptyings = 0
    }

    private var drops: [FleetDropID: Remembered] = [:]
    /// All drops, the oldest first.
    private var order: Deque<FleetDropID> = []
    /// The drops that may have to be repeated, the next one last.
    private var candidates: Deque<FleetDropID> = []
    /// The number of drops of a user that nobody has noted.
    private var unnoted: [UserKey: Int] = [:]
    /// The number of drops of all tokens that nobody has noted.
    private var unnotedOfTenant = 0
    private var repeated = 0
    /// The number of connections so far.
    private var connections = 0
    /// The number of times that the engine was emptied.
    private var emptyings = 0

    /// The number of remembered drops.
    var count: Int { drops.count }

    /// True if the answer to a drop is awaited.
    var isUnderWay: Bool { drops.values.contains { $0.isUnderWay } }

    /// True if a drop that concerns a user is not in the second level, so that a token found there may be a dropped one.
    func concerns(_ user: UserKey) -> Bool { unnotedOfTenant > 0 || unnoted[user] != nil }

    /// Remembers a drop.
    ///
    /// - Parameter isSent: True if it is sent now.
    mutating func add(_ id: FleetDropID, _ drop: FleetDrop, isSent: Bool, now: Instant) {
        while let first = order.first, order.count >= Self.maxRemembered || isOld(first, now) {
            forget(first)
            order.removeFirst()
        }
        drops[id] = Remembered(drop: drop, at: now, isUnderWay: isSent, connection: connections, emptyings: emptyings)
        order.append(id)
        countUnnoted(drop, 1)
        if !isSent { candidates.append(id) }
    }

    private func isOld(_ id: FleetDropID, _ now: Instant) -> Bool {
        drops[id].map { now - $0.at > TokenLife.maxLifetime } ?? true
    }

    private mutating func forget(_ id: FleetDropID) {
        guard let old = drops.removeValue(forKey: id) else { return }
        if old.drop.fence == nil { countUnnoted(old.drop, -1) }
    }

    private mutating func countUnnoted(_ drop: FleetDrop, _ change: Int) {
        let user: UserKey
        switch drop.target {
        case .tenant:
            unnotedOfTenant += change
            return
        case .user(let named, _): user = named
        case .reported(let key, _): user = key.user
        }
        let count = (unnoted[user] ?? 0) + change
        unnoted[user] = count > 0 ? count : nil
    }

    /// Notes that the second level has a drop.
    ///
    /// - Returns: The drop, or nil if it is not remembered.
    mutating func noted(_ id: FleetDropID, _ fence: FleetFence, epoch: String, wasRepeated: Bool) -> FleetDrop? {
        if wasRepeated { repeated -= 1 }
        guard var drop = drops[id] else { return nil }
        if drop.drop.fence == nil { countUnnoted(drop.drop, -1) }
        drop.drop.fence = drop.drop.fence ?? fence
        drop.isUnderWay = false
        // The engine may have been emptied since.
        if drop.emptyings == emptyings { drop.epoch = epoch } else { candidates.append(id) }
        drops[id] = drop
        return drop.drop
    }

    /// Notes that a drop was not answered.
    ///
    /// - Returns: True if it was sent before the present connection, so that another try is worth it at once.
    mutating func failed(_ id: FleetDropID, wasRepeated: Bool) -> Bool {
        if wasRepeated { repeated -= 1 }
        guard let drop = drops[id] else { return false }
        drops[id]?.isUnderWay = false
        let isLate = drop.connection < connections
        if isLate { candidates.append(id) } else { candidates.prepend(id) }
        return isLate
    }

    /// Lets all drops be repeated that a process of the engine hasn't noted.
    mutating func connected() {
        connections += 1
        candidates = order
    }

    /// Lets all drops be repeated, as the engine has forgotten them.
    mutating func emptied() {
        emptyings += 1
        for id in order { drops[id]?.epoch = nil }
        candidates = order
    }

    /// Takes the next drop to repeat, or returns nil if there is none, or enough are under way.
    ///
    /// The latest comes first: an engine that has taken over may lack the last writes, and machines that were cut off
    /// missed the last events.
    mutating func takeNext(for epoch: String) -> (id: FleetDropID, drop: FleetDrop)? {
        guard repeated < Self.maxRepeated else { return nil }
        while let id = candidates.popLast() {
            guard let drop = drops[id], drop.epoch != epoch, !drop.isUnderWay else { continue }
            drops[id]?.isUnderWay = true
            drops[id]?.connection = connections
            drops[id]?.emptyings = emptyings
            repeated += 1
            return (id, drop.drop)
        }
        return nil
    }
}
