import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

@Suite("Quotas per uid")
struct QuotaTests {
    // MARK: Entries

    /// Creates a cache for a hundred tokens whose tenant takes any number of calls.
    private func cache(_ change: (inout CachePolicy) -> Void = { _ in }) -> Simulation {
        var policy = CachePolicy()
        policy.maxEntries = 100
        change(&policy)
        return Simulation(
            policy: policy,
            tenants: ["main": .test(rate: 1_000_000, burst: 1_000_000, concurrent: 1_000)]
        )
    }

    private func entries(_ cache: inout Simulation, _ peer: PeerUID) -> Int {
        cache.stats().uids[peer]?.entries ?? 0
    }

    private func has(_ cache: borrowing Simulation, _ key: TokenKey) -> Bool {
        cache.machine.explain(key, for: 0, now: cache.now).token != nil
    }

    @Test("A single uid may use the whole cache. Its least recently used token is evicted first.")
    func alone() throws {
        var cache = cache()
        for index in 0..<100 { try cache.warm(.of("a\(index)"), peer: 1) }
        #expect(entries(&cache, 1) == 100)
        #expect(cache.ask(.of("a0"), peer: 1).served != nil)
        try cache.warm(.of("one more"), peer: 1)
        #expect(has(cache, .of("a0")) && !has(cache, .of("a1")))
    }

    @Test("An app that lists every user evicts none of another app's tokens within its share.")
    func listing() throws {
        var cache = cache()
        for index in 0..<50 { try cache.warm(.of("b\(index)"), peer: 2) }
        for index in 0..<500 { try cache.warm(.of("a\(index)"), peer: 1) }
        #expect(entries(&cache, 1) == 50 && entries(&cache, 2) == 50)
        for index in 0..<50 { #expect(cache.ask(.of("b\(index)"), peer: 2).served != nil) }
    }

    @Test("A later uid gets positions from those over their share, down to an even share.")
    func late() throws {
        var cache = cache()
        for index in 0..<100 { try cache.warm(.of("a\(index)"), peer: 1) }
        for index in 0..<60 { try cache.warm(.of("b\(index)"), peer: 2) }
        #expect(entries(&cache, 1) == 50 && entries(&cache, 2) == 50)
        #expect(!has(cache, .of("b9")) && has(cache, .of("b10")), "past its share its own go")
        for index in 0..<60 { try cache.warm(.of("c\(index)"), peer: 3) }
        #expect(entries(&cache, 1) == 33 && entries(&cache, 2) == 33 && entries(&cache, 3) == 34)
    }

    @Test("Below the bound nobody's tokens are evicted, whatever the shares.")
    func belowTheBound() throws {
        var cache = cache { $0.entriesShare = 0.1 }
        for index in 0..<90 { try cache.warm(.of("a\(index)"), peer: 1) }
        for index in 0..<10 { try cache.warm(.of("b\(index)"), peer: 2) }
        #expect(entries(&cache, 1) == 90 && entries(&cache, 2) == 10)
        try cache.warm(.of("b10"), peer: 2)
        #expect(entries(&cache, 1) == 89, "the one past its share gives way")
    }

    @Test("A token belongs to the uid that had it minted, until another uid requests it twice in a row.")
    func owners() throws {
        var cache = cache()
        try cache.warm(.of("x"), peer: 1)
        #expect(cache.ask(.of("x"), peer: 2).served != nil)
        #expect(cache.ask(.of("x"), peer: 1).served != nil)
        #expect(cache.ask(.of("x"), peer: 2).served != nil)
        #expect(entries(&cache, 1) == 1 && entries(&cache, 2) == 0)
        #expect(cache.ask(.of("x"), peer: 2).served != nil)
        #expect(entries(&cache, 1) == 0 && entries(&cache, 2) == 1)
    }

    @Test("Another app's listing doesn't take over tokens that it requests once, however often it lists.")
    func listingTwice() throws {
        var cache = cache()
        for index in 0..<40 { try cache.warm(.of("b\(index)"), peer: 2) }
        for _ in 0..<3 {
            for index in 0..<40 { #expect(cache.ask(.of("b\(index)"), peer: 1).served != nil) }
            for index in 0..<40 { #expect(cache.ask(.of("b\(index)"), peer: 2).served != nil) }
        }
        #expect(entries(&cache, 1) == 0 && entries(&cache, 2) == 40)
    }

    @Test("A refresh doesn't change a token's owner, and uids without tokens are forgotten.")
    func refreshes() throws {
        var cache = cache()
        try cache.warm(.of("x"), peer: 1)
        cache.suspend(.seconds(20_000))
        #expect(cache.ask(.of("x"), peer: 1).refreshes)
        cache.succeed(try cache.onlyMint())
        #expect(entries(&cache, 1) == 1)
        for uid in 100..<200 as Range<PeerUID> {
            try cache.warm(.of("y\(uid)"), peer: uid)
            cache.evict(TokenKey.of("y\(uid)").user, scopes: nil)
        }
        #expect(cache.stats().uids.keys.sorted() == [1])
    }

    // MARK: Waiting

    private static let most = CacheStateMachine.maxWaiters

    /// Adds callers of a uid that wait for one mint.
    private func addWaiters(_ cache: inout Simulation, _ peer: PeerUID, _ count: Int) -> Int {
        (0..<count).count { _ in cache.ask(.of("x"), timeout: .seconds(60), peer: peer) == .wait }
    }

    @Test("A single uid may fill all positions. Then another uid displaces its last ones, up to an even share.")
    func waiting() throws {
        var cache = cache()
        #expect(addWaiters(&cache, 1, Self.most + 2) == Self.most)
        #expect(cache.stats().uids[1]?.overloaded == 2)
        let last = Waiter(connection: 1, ticket: UInt64(Self.most))
        #expect(cache.ask(.of("y"), timeout: .seconds(60), peer: 2) == .wait)
        let displaced = cache.takeDeliveries()
        #expect(displaced.map(\.waiter) == [last])
        #expect(displaced.first?.reply.error?.code == .overloaded)
        #expect(displaced.first?.reply.error?.retryAfter == 1)
        #expect(cache.ask(.of("x"), timeout: .seconds(60), peer: 1).error?.code == .overloaded, "past its share")
        #expect(addWaiters(&cache, 2, Self.most) == Self.most / 2 - 1)
        let stats = cache.stats()
        #expect(stats.uids[1]?.waiting == Self.most / 2 && stats.uids[2]?.waiting == Self.most / 2)
        #expect(cache.takeDeliveries().count == Self.most / 2 - 1)
        #expect(cache.ask(.of("z"), timeout: .seconds(60), peer: 3) == .wait, "a third one isn't shut out")
    }

    @Test("While another uid waits, a uid past its share is rejected below the limit, but not when alone again.")
    func share() throws {
        var cache = cache { $0.waitingShare = 0.001 }
        let bound = Self.most / 1_000
        #expect(addWaiters(&cache, 1, bound + 10) == bound + 10)
        let other = cache.newWaiter()
        #expect(cache.ask(.of("y"), timeout: .seconds(60), peer: 2, as: other) == .wait)
        #expect(cache.ask(.of("x"), timeout: .seconds(60), peer: 1).error?.code == .overloaded)
        #expect(addWaiters(&cache, 2, bound) == bound - 1, "the same holds for the other one")
        cache.cancelWaits(of: [other])
        #expect(cache.takeDeliveries().isEmpty)
        let mint = try #require(cache.mints().first { $0.key == .of("x") }?.call)
        #expect(cache.succeed(mint).count == 2 * bound + 9)
        #expect(addWaiters(&cache, 1, 1) == 0, "a hit by now")
    }
}
