import Testing
import TokenCache

@testable import FleetStore

@Suite("The machines of a fleet and their keys")
struct FleetPresenceTests {
    private let start = ContinuousClock.now

    @Test("A machine counts once, with its latest note.")
    func latest() {
        var presence = FleetPresence()
        presence.read(["a k1", "b k2,k1", "a k1,k2"], first: "k1", at: start)
        #expect(presence.machines == 2)
        #expect(presence.keys["k1"] == FleetPresence.KeyUse(machines: 2, sealing: 1))
        #expect(presence.keys["k2"] == FleetPresence.KeyUse(machines: 2, sealing: 1))
        #expect(presence.keys["k3"] == nil)
    }

    @Test("The fleet is settled while all machines seal with this one's first key.")
    func settled() {
        var presence = FleetPresence()
        presence.read(["a k2,k1", "b k1,k2"], first: "k2", at: start)
        #expect(presence.settledSince == nil)
        presence.read(["a k2,k1", "b k2,k1"], first: "k2", at: start + .seconds(15))
        presence.read(["a k2", "b k2,k1"], first: "k2", at: start + .seconds(30))
        #expect(presence.settledSince == start + .seconds(15))
        presence.read(["a k2", "b k2", "c"], first: "k2", at: start + .seconds(45))
        #expect(presence.settledSince == nil, "a machine without a key is no fleet's that is settled")
        presence.read([], first: "k2", at: start + .seconds(45))
        #expect(presence.settledSince == nil)
    }

    @Test("While the engine doesn't tell, the number of machines stays, and nothing is known of the keys.")
    func lost() {
        var presence = FleetPresence()
        presence.read(["a k1", "b k1"], first: "k1", at: start)
        presence.lost()
        #expect(presence.machines == 2)
        #expect(presence.keys.isEmpty)
        #expect(presence.settledSince == nil)
    }
}
