import DequeModule
import Secrets
import TokenProtocol

/// The restoring of the tokens that the last daemon stored, in slices between requests.
///
/// First all records are read. What operators and apps order in the meantime holds for records that are read later, too.
/// Then the restored entries get their positions in the order of use.
struct Restoration {
    /// An order about a user's tokens, for those that are not read yet.
    enum Order {
        case evict(ScopeSet?)
        case revoke(ScopeSet?, Peer)
        case report(ScopeSet, Fingerprint)
        /// The drop of another machine, for tokens up to a fence.
        case fleet(FleetDrop, upTo: FleetFence)
    }

    /// A request for a token that nobody waits for.
    struct Prefetch {
        let key: TokenKey
        let options: RequestOptions
    }

    /// The maximum number of orders.
    ///
    /// Beyond it nothing more is restored, as an order must not be forgotten.
    private static let maxOrders = 10_000

    /// True until all records are read.
    var isReading = true
    /// The time at which the slices have begun.
    var began: Instant?
    /// True if the rest is dropped.
    private var dropsRest = false
    /// The number of restored tokens.
    var count = 0
    /// The slots of the restored entries, by last use.
    var order = SortedRuns()
    private var flushed: Set<TenantID> = []
    private var orders: [UserKey: [Order]] = [:]
    private var orderCount = 0
    /// The requests that wait for the entry of a key.
    private(set) var waiters: [TokenKey: Waiters.List] = [:]
    /// The keys whose requests are judged anew before all are read.
    private var released: Deque<TokenKey> = []
    /// The prefetches that follow when all records are read.
    private var prefetches: Deque<Prefetch> = []

    /// True if nothing is left to do.
    var isOver: Bool { !isReading && order.isEmpty && waiters.isEmpty && prefetches.isEmpty }

    // MARK: Orders

    /// Drops a tenant's records that are not read yet.
    mutating func flush(_ tenant: TenantID) { flushed.insert(tenant) }

    /// Adds an order about a user's records that are not read yet.
    mutating func add(_ order: Order, for user: UserKey) {
        guard isReading, !dropsRest else { return }
        orderCount += 1
        orders[user, default: []].append(order)
        guard orderCount > Self.maxOrders else { return }
        dropsRest = true
        orders = [:]
    }

    /// True if something has been ordered about records that are not read yet.
    var hasOrders: Bool { dropsRest || !flushed.isEmpty || !orders.isEmpty }

    /// True if a tenant's records are dropped.
    func drops(_ tenant: TenantID) -> Bool { dropsRest || flushed.contains(tenant) }

    /// Returns the orders about a user.
    func orders(for user: UserKey) -> [Order] { orders.isEmpty ? [] : orders[user] ?? [] }

    // MARK: Waiters

    /// Updates the requests that wait for a key.
    mutating func update(_ key: TokenKey, _ list: Waiters.List) { waiters[key] = list.isEmpty ? nil : list }

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
        isReading = false
        (flushed, orders) = ([], [:])
    }
}
