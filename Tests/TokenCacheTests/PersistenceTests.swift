import OperatorReplies
import Secrets
import Testing
import TokenProtocol
import TokenStorage

@testable import TokenCache

@Suite("Tokens for the next daemon")
struct PersistenceTests {
    @Test("A token is stored before anyone gets it.")
    func storedFirst() throws {
        let kept = try KeptTokens()
        var machine = CacheStateMachine(
            policy: CachePolicy(),
            tenants: ["main": .test()],
            memory: try kept.memory(),
            random: ConstantGenerator(0.5),
            now: Simulation.start
        )
        let waiter = Waiter(connection: 1, ticket: 1)
        let options = RequestOptions(peer: Peer(uid: 7, gid: 0))
        let actions = machine.request(.of("ann"), options, waiter: waiter, now: Simulation.start).actions
        guard case .mint(let call, _, _)? = actions.calls.first else { throw Unexpected() }
        let result = MintOutcome.minted(AccessToken("ann-1"), scope: nil, lifetime: .seconds(1_000))
        // The reply is one of the event's actions, which are performed when it is over.
        let replies = machine.ended(call, result, now: Simulation.start, wall: Simulation.wall).deliveries
        #expect(replies.count == 1)
        #expect(try kept.names() == ["ann-1"])
    }

    private struct Unexpected: Error {}

    @Test("A token that is replaced is gone, and so is one that leaves the cache: evicted, reported, flushed.")
    func dropped() throws {
        let kept = try KeptTokens()
        var cache = Simulation(memory: try kept.memory())
        for subject in ["ann", "bob", "cat", "dan"] { try cache.warm(.of(subject)) }
        #expect(try kept.names() == ["token-1", "token-2", "token-3", "token-4"])
        #expect(cache.ask(.of("ann"), noCache: true) == .wait)
        cache.succeed(try cache.onlyMint())
        #expect(try kept.names() == ["token-2", "token-3", "token-4", "token-5"])
        cache.evict(TokenKey.of("bob").user)
        #expect(try kept.names() == ["token-3", "token-4", "token-5"])
        #expect(cache.invalidate(.of("cat"), AccessToken("token-3").fingerprint) == .dropped)
        #expect(try kept.names() == ["token-4", "token-5"])
        #expect(cache.flush() == 2)
        #expect(try kept.names() == [])
    }

    @Test("A token of an earlier daemon is served without a call.")
    func restored() throws {
        var cache = Simulation(memory: try KeptTokens.memory(of: [StoredToken("ann"), StoredToken("bob")]))
        #expect(cache.restore() == 2)
        let reply = cache.ask(.of("ann")).served
        #expect(reply?.source == .cache)
        #expect(reply?.expiresIn == 900)
        #expect(reply?.token.fingerprint == AccessToken("ann-0").fingerprint)
        #expect(cache.stats().entries == 2)
        #expect(cache.mints().isEmpty)
    }

    @Test("A token that has expired, is from the future, or belongs to another client or tenant isn't restored.")
    func denied() throws {
        let tokens = [
            StoredToken("ended") { $0.sent = .seconds(-1_000) },
            StoredToken("future") { $0.sent = .seconds(1) },
            StoredToken("client") { $0.client = "another" },
            StoredToken("host") { $0.tenant = "other" },
            StoredToken("gone") { $0.tenant = "removed" },
            StoredToken("ann"),
        ]
        let memory = try KeptTokens.memory(of: tokens)
        let tenants: [TenantID: TenantPolicy] = ["main": .test(), "other": .test(host: "https://two.example")]
        var cache = Simulation(tenants: tenants, memory: memory)
        #expect(cache.restore() == 1)
        #expect(cache.stats().entries == 1)
        #expect(memory.storage.count == 1, "the others are overwritten")
    }

    @Test("Of two tokens of one key the later counts, in either order.", arguments: [true, false])
    func twice(laterFirst: Bool) throws {
        let old = StoredToken("ann") {
            $0.name = "old"
            $0.sent = .seconds(-200)
        }
        let new = StoredToken("ann") { $0.name = "new" }
        let memory = try KeptTokens.memory(of: laterFirst ? [new, old] : [old, new])
        var cache = Simulation(memory: memory)
        _ = cache.restore()
        #expect(cache.ask(.of("ann")).served?.token.fingerprint == AccessToken("new").fingerprint)
        #expect(cache.stats().entries == 1)
        #expect(memory.storage.count == 1)
    }

    @Test("If the cache is smaller now, the last used tokens stay, also when more come.")
    func smaller() throws {
        var policy = CachePolicy()
        policy.maxEntries = 2
        let tokens = [("bob", -40), ("ann", -60), ("cat", -20)].map { name, used in
            StoredToken(name) { $0.lastUsed = .seconds(used) }
        }
        var cache = Simulation(policy: policy, memory: try KeptTokens.memory(of: tokens))
        #expect(cache.restore() == 3)
        #expect(["ann", "bob", "cat"].map { cache.machine.store.find(.of($0)) != nil } == [false, true, true])
        try cache.warm(.of("dan"))
        #expect(["bob", "cat", "dan"].map { cache.machine.store.find(.of($0)) != nil } == [false, true, true])
    }

    @Test("A restored token in use is refreshed ahead of its expiry, as if its daemon had gone on.")
    func refreshed() throws {
        let idle = StoredToken("idle") { $0.lastUsed = .seconds(-3_000) }
        var cache = Simulation(memory: try KeptTokens.memory(of: [StoredToken("ann"), idle]))
        _ = cache.restore()
        // 900 s of their lives are over: the refresh deadline.
        cache.advance(.seconds(800))
        #expect(cache.mints().map(\.key) == [.of("ann")])
    }

    @Test("A use in the future counts as now, so that nobody counts as in use forever.")
    func future() throws {
        let token = StoredToken("ann") { $0.lastUsed = .seconds(1_000_000) }
        var cache = Simulation(memory: try KeptTokens.memory(of: [token]))
        #expect(cache.restore() == 1)
        let slot = try #require(cache.machine.store.find(.of("ann")))
        #expect(cache.machine.store[slot]?.lastUsed == cache.now)
    }

    @Test("The next daemon knows each use, without any work at the end of this one.")
    func uses() throws {
        let kept = try KeptTokens()
        var cache = Simulation(memory: try kept.memory())
        try cache.warm(.of("ann"))
        cache.advance(.seconds(30))
        let used = cache.now
        #expect(cache.ask(.of("ann"), peer: 8).served != nil)
        #expect(cache.ask(.of("ann"), peer: 8).served != nil)
        var next = Simulation(memory: try #require(try kept.next()).memory)
        next.suspend(.seconds(60))
        #expect(next.restore() == 1)
        let slot = try #require(next.machine.store.find(.of("ann")))
        #expect(next.machine.store[slot]?.lastUsed == used)
        #expect(next.machine.store.owner(of: slot) == 8)
    }

    @Test("What a flush has dropped is gone at the end, even if the daemon ends before all of it was overwritten.")
    func flushedAtTheEnd() throws {
        let kept = try KeptTokens()
        var cache = Simulation(sliceSize: 2, memory: try kept.memory())
        for number in 1...9 { try cache.warm(.of("user\(number)")) }
        cache.flushOnly()
        #expect(try !kept.names().isEmpty)
        cache.shutDown()
        #expect(try kept.names() == [])
    }

    @Test("A flush holds at the end, too, if it came before all tokens of the last daemon were read.")
    func flushedWhileRestoring() throws {
        let kept = try KeptTokens()
        let memory = try kept.memory()
        for number in 1...9 { try StoredToken("user\(number)").store(in: memory) }
        var next = Simulation(sliceSize: 2, memory: try #require(try kept.next()).memory)
        next.beginRestoring()
        next.flushOnly()
        next.shutDownOnly()
        #expect(try kept.names() == [])
    }

    @Test("Without the wish to keep them, the next daemon has no tokens.")
    func unwanted() throws {
        let kept = try KeptTokens()
        var cache = Simulation(memory: try kept.memory())
        try cache.warm(.of("ann"))
        kept.isKept = false
        #expect(try kept.next() == nil)
        kept.isKept = true
        #expect(try kept.names() == ["token-1"])
    }
}
