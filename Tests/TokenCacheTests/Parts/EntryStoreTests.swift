import Secrets
import Testing
import TokenProtocol

@testable import TokenCache

@Suite("The store of entries")
struct EntryStoreTests {
    private let now = Simulation.start

    private func entry(_ key: TokenKey, serial: UInt64 = 1) -> Entry {
        Entry(
            key: key,
            token: EncodedToken(onHeap: AccessToken("token-\(serial)"), scope: key.scopes.text, expiresAt: ""),
            life: TokenLife(sent: now, lifetime: .seconds(1_000), jitterFraction: 0.5, policy: CachePolicy()),
            policyNumber: 0,
            arrived: now,
            lastUsed: nil,
            isUnrequested: false,
            replacedReported: false,
            serial: serial
        )
    }

    @Test("An entry is found by its tenant, user and scopes, and a user's entries together.")
    func find() throws {
        var store = EntryStore()
        let keys = [TokenKey.of("ann"), .of("ann", scope: "b"), .of("ann", tenant: "other"), .of("bob")]
        for key in keys { #expect(store.put(entry(key), for: 1) == 0) }
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
        var store = EntryStore()
        for (name, peer) in [("b0", 2), ("a0", 1), ("a1", 1)] as [(String, PeerUID)] {
            _ = store.put(entry(.of(name)), for: peer)
        }
        let slot = try #require(store.find(.of("a0")))
        store.touch(slot, try #require(store[slot]), at: now, by: 1)
        var budget = 10
        #expect(store.removeOldest(limit: 2, share: 0.5, &budget) == true)
        #expect(["a0", "a1", "b0"].map { store.find(.of($0)) != nil } == [true, false, true])
        #expect(store.countsByOwner == [1: 1, 2: 1])
    }

    @Test("Another uid owns an entry after two uses in a row.")
    func owner() throws {
        var store = EntryStore()
        _ = store.put(entry(.of("ann")), for: 1)
        let slot = try #require(store.find(.of("ann")))
        let entry = try #require(store[slot])
        for peer in [2, 1, 2] as [PeerUID] { store.touch(slot, entry, at: now, by: peer) }
        #expect(store.owner(of: slot) == 1)
        store.touch(slot, entry, at: now, by: 2)
        #expect(store.owner(of: slot) == 2)
    }

    @Test("A flush drops all entries of a tenant at once. Later ones stay while the sweep frees the slots.")
    func flush() {
        var store = EntryStore()
        for number in 1...3 { _ = store.put(entry(.of("user\(number)"), serial: UInt64(number)), for: 1) }
        _ = store.put(entry(.of("ann", tenant: "other"), serial: 4), for: 1)
        #expect(store.flush("main", upTo: 4) == 3)
        #expect(store.count == 1 && store.find(.of("user1")) == nil)
        _ = store.put(entry(.of("user1"), serial: 5), for: 1)
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
        var store = EntryStore()
        _ = store.put(entry(.of("ann")), for: 1)
        let slot = try #require(store.find(.of("ann")))
        let life = try #require(store[slot]?.life)
        #expect(store.nextTime == life.refreshDeadline)
        #expect(store.takeRefresh(at: life.refreshDeadline - .nanoseconds(1)) == nil)
        #expect(store.takeRefresh(at: life.refreshDeadline) == slot)
        #expect(store.nextTime == life.expiry)
        #expect(store.takeExpired(at: life.expiry) == slot)
        #expect(store.nextTime == nil)
    }

    @Test("Changes are recorded while they are persisted, tokens to store first.")
    func changes() throws {
        var store = EntryStore()
        let (old, new) = (entry(.of("ann"), serial: 1), entry(.of("ann"), serial: 2))
        _ = store.put(old, for: 1)
        #expect(store.takeChanges() == [])
        store.beginRecording()
        let slot = try #require(store.find(.of("ann")))
        store.persist(slot)
        #expect(store.takeChanges() == [.store(old, slot: slot)])
        store.persisted(old, slot: slot, recordID: 7)
        _ = store.put(new, for: 1)
        #expect(store.takeChanges() == [.store(new, slot: slot), .remove(old.token, recordID: 7)])
        store.endRecording()
        store.remove(slot)
        #expect(store.takeChanges() == [])
    }
}
