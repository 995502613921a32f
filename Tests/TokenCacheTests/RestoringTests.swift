import OperatorReplies
import Secrets
import Testing
import TokenProtocol
import TokenStorage

@testable import TokenCache

/// Tests what operators and apps do while the last daemon's tokens are being restored, one token in each slice.
@Suite("While tokens are being restored")
struct RestoringTests {
    private func cache(
        _ tokens: [StoredToken] = ["ann", "bob", "cat", "dan"].map { StoredToken($0) },
        policy: CachePolicy = CachePolicy(),
        tenants: [TenantID: TenantPolicy] = ["main": .test()]
    ) throws -> Simulation {
        Simulation(policy: policy, tenants: tenants, sliceSize: 2, memory: try KeptTokens.memory(of: tokens))
    }

    private func isCached(_ cache: Simulation, _ subject: String) -> Bool {
        cache.machine.store.find(.of(subject)) != nil
    }

    @Test("A request waits until its own entry is there, and is neither minted nor refused.")
    func waits() throws {
        var cache = try cache()
        let waiters = ["ann", "bob", "cat", "dan"].map { subject in
            let waiter = cache.newWaiter()
            #expect(cache.askOnly(.of(subject), as: waiter) == .wait)
            return waiter
        }
        #expect(cache.mints().isEmpty)
        var answered: [[Waiter]] = []
        cache.beginRestoring()
        while cache.machine.isRestoring {
            cache.timePassed()
            answered.append(cache.takeDeliveries().map(\.waiter))
        }
        answered += [cache.takeDeliveries().map(\.waiter)]
        #expect(Set(answered.joined()) == Set(waiters))
        #expect(answered.count(where: { !$0.isEmpty }) > 1, "not all are answered at the end")
        #expect(answered.allSatisfy { $0.count <= 2 })
        cache.finishWork()
        #expect(cache.mints().isEmpty)
        #expect(cache.stats().requests.hits == 4)
        #expect(cache.machine.waiters.count == 0)
    }

    @Test("A request whose entry isn't there is judged anew at the end: its token is minted.")
    func absent() throws {
        var cache = try cache()
        #expect(cache.askOnly(.of("eve")) == .wait)
        #expect(cache.machine.explain(.of("eve"), for: 7, now: cache.now).reason.contains("being restored"))
        #expect(cache.restore() == 4)
        #expect(cache.mints().map(\.key) == [.of("eve")])
        #expect(cache.stats().requests.misses == 1)
        #expect(!cache.machine.explain(.of("eve"), for: 7, now: cache.now).reason.contains("being restored"))
    }

    @Test("A request that waits ends with its timeout, or when its connection is closed.")
    func ends() throws {
        var cache = try cache()
        let (late, gone) = (cache.newWaiter(), cache.newWaiter())
        #expect(cache.askOnly(.of("ann"), timeout: .seconds(1), as: late) == .wait)
        #expect(cache.askOnly(.of("ann"), as: gone) == .wait)
        cache.cancelOnly(gone)
        cache.suspend(.seconds(1))
        cache.timePassed()
        let replies = cache.takeDeliveries()
        #expect(replies.map(\.waiter) == [late])
        #expect(replies.first?.reply.error?.code == .timeout)
        #expect(cache.machine.waiters.count == 0)
        #expect(cache.restore() == 4)
        #expect(cache.takeDeliveries().isEmpty)
    }

    @Test("A request for a new token is minted at once, and the older token is dropped when it comes.")
    func minted() throws {
        var cache = try cache()
        #expect(cache.askOnly(.of("ann"), noCache: true) == .wait)
        let call = try cache.onlyMint()
        cache.endOnly(call, "fresh")
        #expect(cache.restore() == 3)
        #expect(cache.ask(.of("ann")).served?.token.fingerprint == AccessToken("fresh").fingerprint)
        #expect(cache.machine.store.memory.storage.count == 4)
    }

    @Test("A prefetch mints only what was not restored, and so does a request that doesn't wait.")
    func prefetches() throws {
        var cache = try cache()
        #expect(cache.prefetchOnly(["ann", "eve"].map { .of($0) }) == PrefetchCount(queued: 2, cached: 0, refused: 0))
        #expect(cache.askOnly(.of("fay"), timeout: .zero).error?.code == .timeout)
        #expect(cache.mints().isEmpty)
        #expect(cache.restore() == 4)
        #expect(Set(cache.mints().map(\.key)) == [.of("eve"), .of("fay")])
    }

    @Test("No request that waits is answered within its own event, as its connection notes its wait only afterwards.")
    func ownEvent() throws {
        var cache = try cache()
        cache.beginRestoring()
        for _ in 0..<4 {
            for subject in ["ann", "bob", "cat", "dan", "eve"] {
                let waiter = cache.newWaiter()
                let answer = cache.askOnly(.of(subject), as: waiter)
                #expect(answer != .wait || !cache.takeDeliveries().contains { $0.waiter == waiter })
            }
            cache.timePassed()
        }
    }

    @Test("A logout while tokens are being restored leaves alone the token of a later login, whatever its scope.")
    func laterLogin() throws {
        var cache = try cache()
        let later = TokenKey.of("ann", scope: "another")
        cache.revokeOnly(later.user)
        #expect(cache.askOnly(later, noCache: true) == .wait)
        cache.endOnly(try cache.onlyMint(), "ann-1")
        _ = cache.restore()
        #expect(!isCached(cache, "ann"))
        #expect(cache.machine.store.find(later) != nil)
        #expect(cache.revocations().count == 1)
    }

    @Test("A logout revokes an older token that is read only after a later login, and a newer one that is read stays.")
    func oldToken() throws {
        var cache = try cache()
        cache.revokeOnly(TokenKey.of("ann").user)
        #expect(cache.askOnly(.of("ann"), noCache: true) == .wait)
        cache.endOnly(try cache.onlyMint(), "ann-1")
        #expect(cache.restore() == 3)
        #expect(cache.revocations().count == 1)
        #expect(cache.ask(.of("ann")).served?.token.fingerprint == AccessToken("ann-1").fingerprint)
        #expect(cache.machine.store.memory.storage.count == 4)
    }

    @Test("A request that reports a token while tokens are being restored reports it once.")
    func reportedOnce() throws {
        var cache = try cache()
        let (waiter, refused) = (cache.newWaiter(), AccessToken("ann-0").fingerprint)
        #expect(cache.askOnly(.of("ann"), refused: refused, as: waiter) == .wait)
        let id = try #require(cache.machine.waiters.find(waiter))
        guard case .restoring(_, let options)? = cache.machine.waiters[id]?.goal else { throw NotWaiting() }
        #expect(options.refused == nil)
        #expect(cache.restore() == 4)
        #expect(cache.stats().evictions["invalidated"] == 1)
        #expect(cache.mints().map(\.key) == [.of("ann")])
    }

    private struct NotWaiting: Error {}

    @Test("However many tokens an app reports, others are restored, and each report and logout holds.")
    func manyReports() throws {
        var cache = try cache()
        for number in 0..<RestorationOrders.maxOrders {
            cache.invalidateOnly(.of("user-\(number)"), AccessToken("unknown").fingerprint)
        }
        cache.invalidateOnly(.of("ann"), AccessToken("ann-0").fingerprint)
        cache.revokeOnly(TokenKey.of("bob").user)
        #expect(cache.restore() == 3)
        #expect(["ann", "bob", "cat", "dan"].map { isCached(cache, $0) } == [false, false, true, true])
        #expect(cache.revocations().count == 1)
        #expect(cache.machine.store.memory.storage.count == 2)
    }

    @Test("Several tokens of one user are restored, and so are those of one class in turn with those of another.")
    func severalClasses() throws {
        let tokens = (0..<40).map { number in
            StoredToken("user-\(number / 2)") { $0.scope = number % 2 == 0 ? "user_default" : "another" }
        }
        var cache = try cache(tokens)
        #expect(cache.restore() == 40)
        for number in 0..<20 {
            #expect(cache.machine.store.find(.of("user-\(number)")) != nil)
            #expect(cache.machine.store.find(.of("user-\(number)", scope: "another")) != nil)
        }
        #expect(cache.flush() == 40)
        #expect(cache.machine.store.slots.groups.count == 0, "no number is kept after its slice")
    }

    @Test("A flush drops what isn't restored yet, and what is minted afterwards stays.")
    func flush() throws {
        var cache = try cache()
        cache.beginRestoring()
        cache.timePassed()
        cache.flushOnly()
        #expect(cache.askOnly(.of("eve"), noCache: true) == .wait)
        cache.endOnly(try cache.onlyMint(), "eve-1")
        #expect(cache.restore() != nil)
        cache.finishWork()
        #expect(["ann", "bob", "cat", "dan", "eve"].map { isCached(cache, $0) } == [false, false, false, false, true])
        #expect(cache.stats().entries == 1)
        #expect(cache.machine.store.memory.storage.count == 1)
    }

    @Test("An eviction, a report and a logout hold for tokens that are not restored yet.")
    func orders() throws {
        var cache = try cache()
        cache.evictOnly(TokenKey.of("ann").user)
        cache.invalidateOnly(.of("bob"), AccessToken("bob-0").fingerprint)
        cache.invalidateOnly(.of("dan"), AccessToken("another").fingerprint)
        cache.revokeOnly(TokenKey.of("cat").user)
        _ = cache.restore()
        #expect(["ann", "bob", "cat", "dan"].map { isCached(cache, $0) } == [false, false, false, true])
        #expect(cache.revocations().count == 1)
        let evictions = cache.stats().evictions
        #expect(evictions["evicted"] == 1 && evictions["invalidated"] == 1 && evictions["revoked"] == 1)
        #expect(cache.machine.store.memory.storage.count == 1)
    }

    @Test("A reload that changes the tenant drops what isn't restored yet.")
    func reload() throws {
        var cache = try cache()
        cache.reconfigureOnly(tenants: [TenantID(number: 9, name: "main"): .test(host: "https://two.example")])
        #expect(cache.restore() == 0)
        #expect(cache.machine.store.memory.storage.count == 0)
    }

    @Test("The limit of tokens holds when all are there, and the least recently used ones go.")
    func limit() throws {
        var policy = CachePolicy()
        policy.maxEntries = 3
        let tokens = [("ann", -90), ("bob", -10), ("cat", -70), ("dan", -30)].map { name, used in
            StoredToken(name) { $0.lastUsed = .seconds(used) }
        }
        var cache = try cache(tokens, policy: policy)
        cache.beginRestoring()
        while !isCached(cache, "ann") { cache.timePassed() }
        // A hit during the restore counts as later than all that were restored.
        #expect(cache.askOnly(.of("ann")).served != nil)
        #expect(cache.restore() == 4)
        #expect(["ann", "bob", "cat", "dan"].map { isCached(cache, $0) } == [true, true, false, true])
    }

    @Test("A round through a prefetch file begins when all are there.")
    func round() throws {
        var cache = try cache()
        cache.beginRoundOnly(["ann", "eve"])
        cache.timePassed()
        #expect(cache.mints().isEmpty)
        #expect(cache.restore() == 4)
        cache.advance(.seconds(60))
        #expect(cache.mints().map(\.key) == [.of("eve")])
    }
}
