import Secrets
import TestSupport
import Testing
import TokenProtocol
import TokenStorage

@testable import TokenCache

@Suite("The store of entries")
struct EntryStoreTests {
    private let now = Simulation.start

    private func store() -> EntryStore { EntryStore(in: .anonymous(), policy: CachePolicy()) }

    /// Stores a token, and makes it the entry of its key.
    private func put(
        _ store: inout EntryStore,
        _ key: TokenKey,
        for peer: PeerUID,
        name: String = "token",
        isOrdered: Bool = true
    ) throws -> Int {
        let token = AccessToken(name)
        let sent = store.time(of: now)
        let stored = NewToken(
            user: key.user.user,
            tokenClass: TokenClass(
                tenant: key.user.tenant.name,
                host: "https://one.example",
                clientID: "client",
                scopes: key.scopes.text,
                grantedScope: key.scopes.text
            ),
            token: token,
            fingerprint: token.fingerprint,
            sent: sent,
            arrived: sent,
            lifetime: 1_000_000_000_000,
            jitter: 1 << 31,
            expiresAt: 1_795_000_000,
            owner: peer
        )
        let record = try #require(store.memory.storage.insert(stored))
        return store.put(record, key, for: peer, isOrdered: isOrdered).surplus
    }

    @Test("An entry is found by its tenant, user and scopes, and a user's entries together.")
    func find() throws {
        var store = store()
        let keys = [TokenKey.of("ann"), .of("ann", scope: "b"), .of("ann", tenant: "other"), .of("bob")]
        for key in keys { #expect(try put(&store, key, for: 1) == 0) }
        #expect(store.count == 4)
        for key in keys { #expect(store.find(key).flatMap { store[$0]?.key } == key) }
        #expect(store.find(.of("ann", scope: "c")) == nil)
        #expect(store.find(allOf: keys[0].user).count == 2)
        store.remove(try #require(store.find(keys[0])))
        #expect(keys.map { store.find($0) != nil } == [false, true, true, true])
        #expect(store.count == 3)
    }

    @Test("The least recently used entry of a uid over its quota is removed first.")
    func removeOldest() throws {
        var store = store()
        for (name, peer) in [("b0", 2), ("a0", 1), ("a1", 1)] as [(String, PeerUID)] {
            _ = try put(&store, .of(name), for: peer)
        }
        let slot = try #require(store.find(.of("a0")))
        store.touch(slot, at: store.time(of: now), by: 1)
        var budget = 10
        #expect(store.removeOldest(limit: 2, share: 0.5, &budget) == true)
        #expect(["a0", "a1", "b0"].map { store.find(.of($0)) != nil } == [true, false, true])
        #expect(store.countsByOwner == [1: 1, 2: 1])
    }

    @Test("Another uid owns an entry after two uses in a row.")
    func owner() throws {
        var store = store()
        _ = try put(&store, .of("ann"), for: 1)
        let slot = try #require(store.find(.of("ann")))
        for peer in [2, 1, 2] as [PeerUID] { store.touch(slot, at: store.time(of: now), by: peer) }
        #expect(store.owner(of: slot) == 1)
        store.touch(slot, at: store.time(of: now), by: 2)
        #expect(store.owner(of: slot) == 2)
    }

    @Test("A flush drops all entries of a tenant at once. Later ones stay while the sweep frees the slots.")
    func flush() throws {
        var store = store()
        for number in 1...3 { _ = try put(&store, .of("user\(number)"), for: 1) }
        _ = try put(&store, .of("ann", tenant: "other"), for: 1)
        #expect(store.flush("main", upTo: 4) == 3)
        #expect(store.count == 1 && store.find(.of("user1")) == nil)
        _ = try put(&store, .of("user1"), for: 1)
        var budget = 2
        #expect(!store.sweep("main", &budget) && budget == 0)
        budget = 10
        #expect(store.sweep("main", &budget) == true)
        store.endFlush(of: "main")
        #expect(store.floor(of: "main") == 0)
        #expect(store.count == 2 && store.find(.of("user1")) != nil && store.find(.of("ann", tenant: "other")) != nil)
    }

    @Test("Timers go off at the refresh deadline and at the expiry.")
    func timers() throws {
        var store = store()
        _ = try put(&store, .of("ann"), for: 1)
        let slot = try #require(store.find(.of("ann")))
        let life = try #require(store[slot]?.life)
        #expect(store.nextTime == life.refreshDeadline)
        #expect(store.takeRefresh(at: life.refreshDeadline - .nanoseconds(1)) == nil)
        #expect(store.takeRefresh(at: life.refreshDeadline) == slot)
        #expect(store.nextTime == life.expiry)
        #expect(store.takeExpired(at: life.expiry) == slot)
        #expect(store.nextTime == nil)
    }

    @Test("A replaced token is overwritten, and the new one has the owner of the old one.")
    func replace() throws {
        var store = store()
        _ = try put(&store, .of("ann"), for: 1, name: "old")
        let slot = try #require(store.find(.of("ann")))
        _ = try put(&store, .of("ann"), for: 2, name: "new")
        #expect(store.find(.of("ann")) == slot && store.count == 1)
        #expect(store.token(of: slot).accessToken == AccessToken("new"))
        #expect(store.memory.storage.count == 1)
        #expect(store.records[store.slots[slot].record].owner == 1)
    }

    @Test("An entry takes 48 bytes beside its record and the index, and is counted with its share of that.")
    func size() throws {
        #expect(MemoryLayout<EntrySlots.Slot>.stride == 8)
        #expect(UseOrder.size == 24)
        #expect(SlotTimers.size == 16)
        #expect(EntryStore.sizeBesideRecord == 58)
        var store = store()
        _ = try put(&store, .of("ann"), for: 1, name: String(repeating: "x", count: 1_199))
        #expect(store.bytes == 1_264 + 58)
        store.remove(0)
        #expect(store.bytes == 0)
    }

    @Test("Restored entries are ordered by last use, behind all that have been used since.")
    func restoredOrder() throws {
        var store = store()
        for (name, isOrdered) in [("a", false), ("b", false), ("c", true), ("d", false)] {
            _ = try put(&store, .of(name), for: 1, isOrdered: isOrdered)
        }
        let slots = ["a", "b", "c", "d"].compactMap { store.find(.of($0)) }
        // One of them is used, and one is removed, before the order is known.
        store.touch(slots[0], at: store.time(of: now), by: 1)
        store.remove(slots[3])
        for slot in [slots[1], slots[3], slots[0]] { store.linkAsOldest(slot) }
        var gone: [Bool] = []
        for _ in 0..<3 {
            var budget = 1
            gone.append(store.removeOldest(limit: 0, share: 1, &budget))
            if gone.count == 1 { #expect(["a", "b", "c"].map { store.find(.of($0)) != nil } == [true, false, true]) }
            if gone.count == 2 { #expect(["a", "c"].map { store.find(.of($0)) != nil } == [true, false]) }
        }
        #expect(gone == [true, true, true] && store.count == 0)
        #expect(store.countsByOwner.isEmpty)
    }

    @Test("A tenant that comes back under another number has none of the entries of before, though both share texts.")
    func sameTexts() throws {
        var store = store()
        let (old, new) = (TenantID(number: 1, name: "main"), TenantID(number: 2, name: "main"))
        let user = UserLookup(field: .subject, value: "ann")
        let scopes = TokenKey.of("ann").scopes
        _ = try put(&store, TokenKey(tenant: old, user: user, scopes: scopes), for: 1)
        _ = store.flush(old, upTo: 1)
        _ = try put(&store, TokenKey(tenant: new, user: user, scopes: scopes), for: 1)
        #expect(store.find(TokenKey(tenant: old, user: user, scopes: scopes)) == nil)
        #expect(store.find(TokenKey(tenant: new, user: user, scopes: scopes)) == 1)
    }
}
