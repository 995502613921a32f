import Secrets
import TokenProtocol

/// The orders of operators and apps about tokens that are not restored yet, by user.
///
/// A limited number of orders is kept, and an order must not be forgotten. So a user whose order can't be kept is marked,
/// and all tokens of marked users are dropped when they are read. A mark is one bit of a table, chosen by the hash of the
/// user, so other users share it: of each ten thousand marks a thousandth of all tokens is dropped, too. Hashes are seeded
/// per process, so no app can choose whose tokens these are.
struct RestorationOrders {
    /// An order about a user's tokens.
    enum Order: Equatable {
        case evict(ScopeSet?)
        case revoke(ScopeSet?, Peer)
        case report(ScopeSet, Fingerprint)
        /// The drop of another machine, for tokens up to a fence.
        case fleet(FleetDrop, upTo: FleetFence)

        /// True if it is an app's report of a rejected token.
        var isReport: Bool {
            switch self {
            case .report: true
            case .fleet(let drop, _): if case .reported = drop.target { true } else { false }
            case .evict, .revoke: false
            }
        }

        /// True if another order needs nothing that this one doesn't do.
        func covers(_ other: Order) -> Bool {
            // The first peer that logged a user out stands for all.
            if case .revoke(let own, _) = self, case .revoke(let scopes, _) = other {
                own == scopes
            } else {
                self == other
            }
        }
    }

    /// The maximum number of reports, and that of all other orders.
    ///
    /// They don't share it, so that no app's reports displace a logout, which also revokes the tokens.
    static let maxOrders = 10_000
    /// The maximum number of reports about one user, and that of all other orders.
    ///
    /// Each token of the user is held against all of them.
    static let maxPerUser = 16
    /// The number of marks, a megabyte of bits.
    private static let markCount: UInt32 = 1 << 23

    private var orders: [UserKey: [Order]] = [:]
    /// The hashes of the users with orders.
    private var hashes: Set<UInt32> = []
    private var reportCount = 0
    private var otherCount = 0
    /// The marks, or nothing if there are none.
    private var marks: ContiguousArray<UInt64> = []

    var isEmpty: Bool { orders.isEmpty && marks.isEmpty }

    /// Adds an order.
    mutating func add(_ order: Order, for user: UserKey) {
        let own = orders[user] ?? []
        guard !own.contains(where: { $0.covers(order) }) else { return }
        let hash = UserIndex.hash(user)
        guard own.count(where: { $0.isReport == order.isReport }) < Self.maxPerUser,
            (order.isReport ? reportCount : otherCount) < Self.maxOrders
        else { return mark(hash) }
        if order.isReport { reportCount += 1 } else { otherCount += 1 }
        hashes.insert(hash)
        orders[user, default: []].append(order)
    }

    /// Returns the orders about a user.
    func orders(for user: UserKey) -> [Order] { orders[user] ?? [] }

    /// True if there may be orders about a user with this hash.
    func concern(_ hash: UInt32) -> Bool { isMarked(hash) || !hashes.isEmpty && hashes.contains(hash) }

    /// True if the tokens of users with this hash are dropped.
    func isMarked(_ hash: UInt32) -> Bool {
        guard !marks.isEmpty else { return false }
        let mark = hash % Self.markCount
        return marks[Int(mark / 64)] & 1 << UInt64(mark % 64) != 0
    }

    private mutating func mark(_ hash: UInt32) {
        if marks.isEmpty { marks = ContiguousArray(repeating: 0, count: Int(Self.markCount / 64)) }
        let mark = hash % Self.markCount
        marks[Int(mark / 64)] |= 1 << UInt64(mark % 64)
    }
}
