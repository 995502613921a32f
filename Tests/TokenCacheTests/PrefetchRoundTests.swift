import OperatorReplies
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("Rounds through a prefetch file")
struct PrefetchRoundTests {
    private func simulation(
        rate: Int = 60,
        burst: Int = 1,
        concurrent: Int = 1_000,
        policy: CachePolicy = CachePolicy(),
        sliceSize: Int = CacheStateMachine.defaultSliceSize
    ) -> Simulation {
        Simulation(
            policy: policy,
            tenants: ["main": .test(rate: rate, burst: burst, concurrent: concurrent)],
            jitterFraction: 0,
            sliceSize: sliceSize
        )
    }

    private func results(
        left: Int = 0,
        minted: Int = 0,
        cached: Int = 0,
        denied: Int = 0,
        failed: Int = 0
    ) -> StatsReply.Tenant.Prefetch {
        var results = StatsReply.Tenant.Prefetch()
        (results.left, results.minted, results.cached) = (left, minted, cached)
        (results.denied, results.failed) = (denied, failed)
        return results
    }

    @Test("The subjects are minted in the order of the file, at the governor's pace.")
    func order() {
        var cache = simulation()
        #expect(cache.beginRound(["cid", "ann", "bob"]) == true)
        var minted: [TokenKey] = []
        for _ in 0..<3 {
            let mints = cache.mints()
            #expect(mints.count == 1)
            for mint in mints {
                minted.append(mint.key)
                cache.succeed(mint.call)
            }
            cache.advance(.seconds(1))
        }
        #expect(minted == [.of("cid"), .of("ann"), .of("bob")])
        #expect(cache.takeNotices() == [.prefetched("main", results(minted: 3), .seconds(2))])
        #expect(cache.stats().tenants["main"]?.prefetch == results(minted: 3))
    }

    @Test("The round begins after a random pause of up to 2 s.")
    func jitter() {
        var cache = Simulation(jitterFraction: 0.5)
        cache.beginRound(["ann"])
        cache.advance(.milliseconds(999))
        #expect(cache.mints().isEmpty)
        cache.advance(.milliseconds(1))
        #expect(cache.mints().map(\.key) == [.of("ann")])
    }

    @Test("A subject that is cached costs no call, and one in the file twice is minted once.")
    func cached() throws {
        var cache = simulation(burst: 10)
        try cache.warm(.of("ann"))
        cache.beginRound(["ann", "bob", "bob"])
        let mints = cache.mints()
        #expect(mints.map(\.key) == [.of("bob")])
        for mint in mints { cache.succeed(mint.call) }
        #expect(cache.takeNotices() == [.prefetched("main", results(minted: 1, cached: 2), .zero)])
    }

    @Test("Half of the burst is left for callers, and the round then goes on at the rate.")
    func reserve() {
        var cache = simulation(burst: 10)
        cache.beginRound((0..<20).map { "user\($0)" })
        #expect(cache.mints().count == 5)
        for index in 0..<5 { #expect(cache.ask(.of("caller\(index)")) == .wait) }
        #expect(cache.mints().count == 5, "each caller is served at once")
        cache.advance(.seconds(5))
        #expect(cache.mints().isEmpty, "the callers' half is filled first")
        cache.advance(.seconds(2))
        #expect(cache.mints().count == 2)
    }

    @Test("Callers, apps' prefetches and refreshes go before the round's mints.")
    func rank() throws {
        var cache = simulation(rate: 600)
        try cache.warm(.of("old"), lifetime: .seconds(1_000))
        cache.advance(.seconds(750))
        // It takes the last call of the bucket.
        #expect(cache.ask(.of("first")) == .wait)
        cache.beginRound(["ann"])
        #expect(cache.ask(.of("old")).refreshes == true)
        #expect(cache.prefetch([.of("early")]).queued == 1)
        #expect(cache.ask(.of("caller")) == .wait)
        #expect(cache.mints().map(\.key) == [.of("first")])
        var order: [TokenKey] = []
        for _ in 0..<4 {
            cache.advance(.milliseconds(100))
            order += cache.mints().map(\.key)
        }
        #expect(order == [.of("caller"), .of("early"), .of("old"), .of("ann")])
    }

    @Test("A caller who asks for a queued subject gets the turn of a caller.")
    func joined() throws {
        var cache = simulation()
        cache.beginRound(["ann", "bob", "cid"])
        let first = try cache.onlyMint()
        #expect(cache.ask(.of("cid")) == .wait)
        cache.succeed(first)
        cache.advance(.seconds(1))
        let mints = cache.mints()
        #expect(mints.map(\.key) == [.of("cid")])
        for mint in mints { #expect(cache.succeed(mint.call).count == 1) }
        cache.advance(.seconds(1))
        #expect(cache.mints().map(\.key) == [.of("bob")])
    }

    @Test("A caller who leaves leaves the subject to the round.")
    func left() throws {
        var cache = simulation()
        cache.beginRound(["ann", "bob"])
        let first = try cache.onlyMint()
        let waiter = cache.newWaiter()
        #expect(cache.ask(.of("bob"), as: waiter) == .wait)
        cache.cancelWaits(of: [waiter])
        cache.succeed(first)
        cache.advance(.seconds(1))
        #expect(cache.mints().map(\.key) == [.of("bob")])
    }

    @Test("A denied subject is left alone until the next round, and then its denial still counts.")
    func denied() throws {
        var cache = simulation(burst: 10)
        cache.beginRound(["ann"])
        try cache.fail(cache.onlyMint(), .denied(ErrorReply.Upstream(status: 403), secretChanged: false))
        #expect(cache.takeNotices().contains(.prefetched("main", results(denied: 1), .zero)))
        cache.advance(.seconds(1))
        cache.beginRound(["ann"])
        #expect(cache.mints().isEmpty)
        #expect(cache.stats().tenants["main"]?.prefetch == results(denied: 1))
    }

    @Test("A subject whose mint fails is tried three times, with pauses, and then given up.")
    func failed() throws {
        var cache = simulation(burst: 10)
        cache.beginRound(["ann", "bob"])
        for _ in 0..<3 {
            let mints = cache.mints()
            #expect(mints.map(\.key) == [.of("ann"), .of("bob")])
            for mint in mints { cache.fail(mint.call, .rejected("409")) }
            cache.advance(.seconds(29))
            #expect(cache.mints().isEmpty, "no pause is shorter than half a minute")
            cache.advance(.seconds(31))
        }
        #expect(cache.mints().isEmpty)
        #expect(cache.stats().tenants["main"]?.prefetch == results(failed: 2))
    }

    @Test("A round costs the apps none of their positions for prefetches, however long its file is.")
    func positions() {
        var cache = simulation(concurrent: 8)
        cache.beginRound((0..<50_000).map { "user\($0)" })
        #expect(cache.machine.calls.count == 8 + 16)
        #expect(cache.stats().tenants["main"]?.prefetch?.left == 50_000)
        let keys = (0..<CacheStateMachine.maxPrefetches).map { TokenKey.of("app\($0)") }
        #expect(cache.prefetch(keys) == PrefetchCount(queued: keys.count))
    }

    @Test("A round stops before another token would have to go for one of its own.")
    func limit() throws {
        var policy = CachePolicy()
        policy.maxEntries = 4
        var cache = simulation(burst: 20, policy: policy)
        try cache.warm(.of("zoe"))
        cache.beginRound((0..<8).map { "user\($0)" })
        for _ in 0..<10 {
            for mint in cache.mints() { cache.succeed(mint.call) }
            cache.advance(.seconds(1))
        }
        #expect(cache.stats().tenants["main"]?.prefetch == results(minted: 3, failed: 5))
        #expect(cache.stats().evictions["capacity"] == 0)
        #expect(cache.ask(.of("zoe")).served?.source == .cache)
    }

    @Test("The token of a user for whom nobody asks is not refreshed, and one of a user who asks is.")
    func unrequested() throws {
        var cache = simulation(burst: 10)
        cache.beginRound(["ann", "bob"])
        for mint in cache.mints() { cache.succeed(mint.call, lifetime: .seconds(1_000)) }
        cache.advance(.seconds(600))
        #expect(cache.ask(.of("bob")).served?.source == .cache)
        cache.advance(.seconds(350))
        #expect(cache.mints().map(\.key) == [.of("bob")])
    }

    @Test("A token that has expired is minted by the next round.")
    func nextRound() throws {
        var cache = simulation(burst: 10)
        for _ in 0..<2 {
            cache.beginRound(["ann"])
            try cache.succeed(cache.onlyMint(), lifetime: .seconds(100))
            cache.advance(.seconds(60))
            cache.beginRound(["ann"])
            #expect(cache.mints().isEmpty)
            cache.advance(.seconds(60))
        }
    }

    @Test("The audit trail says that the daemon itself has prefetched the token.")
    func audit() throws {
        var cache = simulation()
        cache.beginRound(["ann"])
        try cache.succeed(cache.onlyMint(), scope: "granted")
        let record = try #require(cache.records.last)
        #expect(record.peer == nil)
        guard case .mint(let key, .prefetch, .minted) = record.act else {
            Issue.record("another act: \(record.act)")
            return
        }
        #expect(key == .of("ann"))
    }

    @Test("Another round replaces the present one, whose queued mints end.")
    func replaced() {
        var cache = simulation()
        cache.beginRound(["ann", "bob", "cid"])
        let sent = cache.mints()
        cache.beginRound(["dan"])
        #expect(cache.machine.calls.count == 2)
        for mint in sent { cache.succeed(mint.call) }
        cache.advance(.seconds(1))
        #expect(cache.mints().map(\.key) == [.of("dan")])
        #expect(cache.takeNotices().isEmpty)
    }

    @Test("A round that is ended sends nothing more, and what is under way is cached.")
    func ended() throws {
        var cache = simulation()
        cache.beginRound(["ann", "bob"])
        let sent = try cache.onlyMint()
        cache.endRound()
        #expect(!cache.machine.hasPrefetchRound(of: "main"))
        cache.succeed(sent)
        cache.advance(.seconds(10))
        #expect(cache.mints().isEmpty)
        #expect(cache.ask(.of("ann")).served?.source == .cache)
        #expect(cache.takeNotices().isEmpty)
        #expect(cache.machine.roundMints == 0)
    }

    @Test("A tenant that a reload removes loses its round, and another one's goes on.")
    func removed() {
        let policy = TenantPolicy.test(rate: 60, burst: 1)
        var cache = Simulation(tenants: ["main": policy, "other": policy], jitterFraction: 0)
        cache.beginRound(["ann", "bob"])
        cache.beginRound(["cid", "dan"], of: "other")
        cache.reconfigure(tenants: ["other": policy])
        for mint in cache.mints() { cache.succeed(mint.call) }
        cache.advance(.seconds(2))
        #expect(cache.mints().map(\.key) == [.of("dan", tenant: "other")])
        #expect(cache.beginRound(["ann"]) == false, "it isn't configured")
        #expect(cache.machine.tenants["main"] == nil)
    }

    @Test("A hold delays the round, and its subjects are minted when it is over.")
    func held() {
        var cache = simulation(burst: 10)
        cache.beginRound(["ann", "bob"])
        for mint in cache.mints() { cache.fail(mint.call, .throttled(retryAfter: .seconds(100))) }
        cache.advance(.seconds(99))
        #expect(cache.mints().isEmpty)
        cache.advance(.seconds(2))
        for mint in cache.mints() { cache.succeed(mint.call) }
        #expect(cache.stats().tenants["main"]?.prefetch == results(minted: 2))
    }

    @Test("A hundred thousand cached subjects are passed over in slices, between which callers are served.")
    func slices() throws {
        var cache = simulation(burst: 10, sliceSize: 10)
        try cache.warm(.of("ann"))
        // Of a slice of ten steps one is the piece of work itself.
        #expect(cache.leftAfterASlice(Array(repeating: "ann", count: 100_000)) == 100_000 - 9)
    }
}

extension Simulation {
    /// Returns the number of subjects that are left of a round after its first slice.
    fileprivate func leftAfterASlice(_ subjects: [String]) -> Int? {
        var machine = machine
        _ = machine.beginPrefetchRound(of: "main", subjects, TokenKey.of("any").scopes, now: now)
        _ = machine.timePassed(now: now)
        return machine.stats(now: now).tenants["main"]?.prefetch?.left
    }
}
