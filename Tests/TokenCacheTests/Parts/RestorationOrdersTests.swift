import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Orders about tokens that are not restored yet")
struct RestorationOrdersTests {
    private let scopes = TokenKey.of("ann").scopes

    private func report(_ name: String) -> RestorationOrders.Order {
        .report(scopes, AccessToken("\(name)").fingerprint)
    }

    private func hash(_ subject: String) -> UInt32 { UserIndex.hash(TokenKey.of(subject).user) }

    @Test("An order that is there already takes nothing.")
    func twice() {
        var orders = RestorationOrders()
        let user = TokenKey.of("ann").user
        for _ in 0..<100 {
            for order in [report("one"), .evict(nil), .revoke(scopes, Peer(uid: 1, gid: 1))] {
                orders.add(order, for: user)
            }
            orders.add(.revoke(scopes, Peer(uid: 2, gid: 2)), for: user)
        }
        #expect(orders.orders(for: user).count == 3)
        #expect(orders.concern(hash("ann")) && !orders.isMarked(hash("ann")))
    }

    @Test("A user with too many orders is marked, and another one isn't.")
    func tooManyOfOne() {
        var orders = RestorationOrders()
        for number in 0..<RestorationOrders.maxPerUser { orders.add(report("\(number)"), for: TokenKey.of("ann").user) }
        #expect(!orders.isMarked(hash("ann")))
        orders.add(report("one more"), for: TokenKey.of("ann").user)
        #expect(orders.isMarked(hash("ann")) && orders.concern(hash("ann")))
        #expect(orders.orders(for: TokenKey.of("ann").user).count == RestorationOrders.maxPerUser)
        #expect(hash("bob") % (1 << 23) == hash("ann") % (1 << 23) || !orders.isMarked(hash("bob")))
    }

    @Test("Users whose orders are beyond the limit are marked, and nearly all others are not.")
    func tooMany() {
        var orders = RestorationOrders()
        for number in 0..<RestorationOrders.maxOrders + 1_000 {
            orders.add(report("token"), for: TokenKey.of("user-\(number)").user)
        }
        let users = (0..<RestorationOrders.maxOrders + 1_000).map { hash("user-\($0)") }
        #expect(users.allSatisfy { orders.concern($0) })
        #expect(users.suffix(1_000).allSatisfy { orders.isMarked($0) })
        // A thousand of eight million marks are set.
        #expect((0..<10_000).count { orders.isMarked(hash("other-\($0)")) } < 50)
        orders.add(.evict(nil), for: TokenKey.of("ann").user)
        #expect(orders.orders(for: TokenKey.of("ann").user) == [.evict(nil)], "reports displace no other orders")
    }
}
