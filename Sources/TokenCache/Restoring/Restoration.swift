import DequeModule
import TokenProtocol

/// The restoring of the tokens that the last daemon stored, in slices between requests.
///
/// First all records are read. What operators and apps order in the meantime holds for records that are read later, too.
/// Then the restored entries get their positions in the order of use.
struct Restoration {
    /// A request for a token that nobody waits for.
    struct Prefetch {
        let key: TokenKey
        let options: RequestOptions
    }

    private enum Phase {
        case reading
        case ordering
        case over
    }

    private var phase: Phase
    /// The time at which the slices have begun.
    var began: Instant?
    /// The number of restored tokens.
    var count = 0
    /// The slots of the restored entries, by last use.
    var order = SortedRuns()
    private var flushed: Set<TenantID> = []
    private var orders = RestorationOrders()
    /// The requests that wait for the entry of a key.
    private(set) var waiters: [TokenKey: Waiters.List] = [:]
    /// The number of keys in ``waiters`` by the hash of the user.
    private var waitingHashes: [UInt32: Int] = [:]
    /// The keys whose requests are judged anew before all are read.
    private var released: Deque<TokenKey> = []
    /// The prefetches that follow when all records are read.
    private var prefetches: Deque<Prefetch> = []

    /// Creates the work, which is over at once if there are no records.
    init(hasRecords: Bool) { phase = hasRecords ? .reading : .over }

    /// True until all records are read.
    var isReading: Bool { phase == .reading }

    /// True if all restored tokens are in the order of use, and no request waits any more.
    var isOver: Bool { phase == .over }

    // MARK: Orders

    /// Drops a tenant's records that are not read yet.
    mutating func flush(_ tenant: TenantID) {
        if isReading { flushed.insert(tenant) }
    }

    /// Adds an order about a user's records that are not read yet.
    mutating func add(_ order: RestorationOrders.Order, for user: UserKey) {
        if isReading { orders.add(order, for: user) }
    }

    /// True if something has been ordered about records that are not read yet.
    var hasOrders: Bool { !flushed.isEmpty || !orders.isEmpty }

    /// True if a tenant's records are dropped.
    func drops(_ tenant: TenantID) -> Bool { flushed.contains(tenant) }

    /// True if the records of users with a hash are dropped.
    func drops(_ hash: UInt32) -> Bool { orders.isMarked(hash) }

    /// True if orders or requests may concern users with a hash.
    func concerns(_ hash: UInt32) -> Bool {
        orders.concern(hash) || !waitingHashes.isEmpty && waitingHashes[hash] != nil
    }

    /// Returns the orders about a user.
    func orders(for user: UserKey) -> [RestorationOrders.Order] { orders.orders(for: user) }

    // MARK: Waiters

    /// Updates the requests that wait for a key.
    mutating func update(_ key: TokenKey, _ list: Waiters.List) {
        let before = waiters.updateValue(list, forKey: key)
        if list.isEmpty { waiters[key] = nil }
        guard (before == nil) != list.isEmpty else { return }
        let hash = UserIndex.hash(key.user)
        let count = (waitingHashes[hash] ?? 0) + (list.isEmpty ? -1 : 1)
        waitingHashes[hash] = count > 0 ? count : nil
    }

    /// Releases the requests that wait for a key, as its entry is there.
    mutating func release(_ key: TokenKey) {
        if waiters[key] != nil { released.append(key) }
    }

    /// Returns the next key whose requests are judged anew, which is any when all records are read.
    mutating func nextReleased() -> TokenKey? {
        while let key = released.first {
            if waiters[key] != nil { return key }
            released.removeFirst()
        }
        return isReading ? nil : waiters.first?.key
    }

    // MARK: Prefetches

    /// Holds a prefetch until all records are read, or returns false if there are too many.
    mutating func hold(_ prefetch: Prefetch, limit: Int) -> Bool {
        guard prefetches.count < limit else { return false }
        prefetches.append(prefetch)
        return true
    }

    /// Takes the next prefetch that was held.
    mutating func takePrefetch() -> Prefetch? { prefetches.popFirst() }

    // MARK: The end

    /// Notes that all records are read, which releases all requests.
    mutating func endReading() {
        phase = .ordering
        (flushed, orders) = ([], RestorationOrders())
    }

    /// Ends the work if nothing is left to do, and returns true then.
    mutating func endIfDone() -> Bool {
        guard phase == .ordering, order.isEmpty, waiters.isEmpty, prefetches.isEmpty else { return false }
        self = Restoration(hasRecords: false)
        return true
    }
}
