import OperatorReplies
import Testing
import TokenCache
import TokenProtocol

@Suite("Quotas per uid")
struct QuotaTests {
    // MARK: Entries

    /// A cache for a hundred tokens whose tenant takes as many calls as come.
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

    @Test("A uid alone may use the whole cache; its least recently asked-for token goes first.")
    func alone() throws {
        var cache = cache()
        for index in 0..<100 { try cache.warm(.of("a\(index)"), peer: 1) }
        #expect(entries(&cache, 1) == 100)
        #expect(cache.ask(.of("a0"), peer: 1).served != nil)
        try cache.warm(.of("one more"), peer: 1)
        #expect(has(cache, .of("a0")) && !has(cache, .of("a1")))
    }

    @Test("An app that lists every user pushes out none of another app's tokens within its share.")
    func listing() throws {
        var cache = cache()
        for index in 0..<50 { try cache.warm(.of("b\(index)"), peer: 2) }
        for index in 0..<500 { try cache.warm(.of("a\(index)"), peer: 1) }
        #expect(entries(&cache, 1) == 50 && entries(&cache, 2) == 50)
        for index in 0..<50 { #expect(cache.ask(.of("b\(index)"), peer: 2).served != nil) }
    }

    @Test("Whoever comes later gets room from those who have more than their share, down to an even one.")
    func late() throws {
        var cache = cache()
        for index in 0..<100 { try cache.warm(.of("a\(index)"), peer: 1) }
        for index in 0..<60 { try cache.warm(.of("b\(index)"), peer: 2) }
        #expect(entries(&cache, 1) == 50 && entries(&cache, 2) == 50)
        #expect(!has(cache, .of("b9")) && has(cache, .of("b10")), "past its share its own go")
        for index in 0..<60 { try cache.warm(.of("c\(index)"), peer: 3) }
        #expect(entries(&cache, 1) == 33 && entries(&cache, 2) == 33 && entries(&cache, 3) == 34)
    }

    @Test("Below the bound nobody's tokens go, whatever the shares.")
    func belowTheBound() throws {
        var cache = cache { $0.entriesShare = 0.1 }
        for index in 0..<90 { try cache.warm(.of("a\(index)"), peer: 1) }
        for index in 0..<10 { try cache.warm(.of("b\(index)"), peer: 2) }
        #expect(entries(&cache, 1) == 90 && entries(&cache, 2) == 10)
        try cache.warm(.of("b10"), peer: 2)
        #expect(entries(&cache, 1) == 89, "the one past its share gives way")
    }

    @Test("A token is whose that had it minted, until another asks for it twice in a row.")
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

    @Test("Another app's listing doesn't take over what it asks for once, however often it lists.")
    func listingTwice() throws {
        var cache = cache()
        for index in 0..<40 { try cache.warm(.of("b\(index)"), peer: 2) }
        for _ in 0..<3 {
            for index in 0..<40 { #expect(cache.ask(.of("b\(index)"), peer: 1).served != nil) }
            for index in 0..<40 { #expect(cache.ask(.of("b\(index)"), peer: 2).served != nil) }
        }
        #expect(entries(&cache, 1) == 0 && entries(&cache, 2) == 40)
    }

    @Test("A refresh leaves a token to its owner, and uids that have none are forgotten.")
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

    private static let most = CacheStateMachine.mostWaiting

    /// Has callers of a uid wait for one mint.
    private func crowd(_ cache: inout Simulation, _ peer: PeerUID, _ count: Int) -> Int {
        (0..<count).count { _ in cache.ask(.of("x"), timeout: .seconds(60), peer: peer) == .wait }
    }

    @Test(
        "A uid alone may fill all places; then another comes in its stead, the last who came first, up to an even share."
    )
    func waiting() throws {
        var cache = cache()
        #expect(crowd(&cache, 1, Self.most + 2) == Self.most)
        #expect(cache.stats().uids[1]?.overloaded == 2)
        let last = Waiter(connection: 1, ticket: UInt64(Self.most))
        #expect(cache.ask(.of("y"), timeout: .seconds(60), peer: 2) == .wait)
        let displaced = cache.takeDeliveries()
        #expect(displaced.map(\.waiter) == [last])
        #expect(displaced.first?.reply.error?.code == .overloaded)
        #expect(displaced.first?.reply.error?.retryAfter == 1)
        #expect(cache.ask(.of("x"), timeout: .seconds(60), peer: 1).refusal?.code == .overloaded, "past its share")
        #expect(crowd(&cache, 2, Self.most) == Self.most / 2 - 1)
        let stats = cache.stats()
        #expect(stats.uids[1]?.waiting == Self.most / 2 && stats.uids[2]?.waiting == Self.most / 2)
        #expect(cache.takeDeliveries().count == Self.most / 2 - 1)
        #expect(cache.ask(.of("z"), timeout: .seconds(60), peer: 3) == .wait, "a third one isn't shut out")
    }

    @Test("While another uid waits, a uid past its share is refused though there is room; alone again, it isn't.")
    func share() throws {
        var cache = cache { $0.waitingShare = 0.001 }
        let bound = Self.most / 1_000
        #expect(crowd(&cache, 1, bound + 10) == bound + 10)
        let other = cache.newWaiter()
        #expect(cache.ask(.of("y"), timeout: .seconds(60), peer: 2, as: other) == .wait)
        #expect(cache.ask(.of("x"), timeout: .seconds(60), peer: 1).refusal?.code == .overloaded)
        #expect(crowd(&cache, 2, bound) == bound - 1, "the same holds for the other one")
        cache.leave([other])
        #expect(cache.takeDeliveries().isEmpty)
        let mint = try #require(cache.mints().first { $0.key == .of("x") }?.call)
        #expect(cache.succeed(mint).count == 2 * bound + 9)
        #expect(crowd(&cache, 1, 1) == 0, "a hit by now")
    }
}
