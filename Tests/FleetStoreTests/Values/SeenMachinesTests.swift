import Testing
import TokenCache

@testable import FleetStore

@Suite("The machines of a fleet and their keys")
struct SeenMachinesTests {
    private static let start = ContinuousClock.now

    private func at(_ seconds: Int) -> Instant { Self.start + .seconds(seconds) }

    @Test("A note is read as it was written, and one without keys names a machine.")
    func notes() {
        let note = MachineNote("m1", keys: ["ab", "cd"])
        #expect(note.text == "m1 ab,cd")
        #expect(MachineNote(note.text) == note)
        #expect(MachineNote("m2") == MachineNote("m2", keys: []))
    }

    @Test("Of two notes of a machine the later one counts, and no notes tell nothing.")
    func latest() {
        var machines = SeenMachines()
        let notes = [MachineNote("a", keys: ["1"]), MachineNote("b", keys: ["1"]), MachineNote("a", keys: ["2", "1"])]
        var isKnown = machines.note(notes, sealing: "2", at: at(0))
        #expect(isKnown)
        #expect(machines.keys == ["a": ["2", "1"], "b": ["1"]])
        isKnown = machines.note([], sealing: "2", at: at(1))
        #expect(!isKnown && machines.count == 2)
    }

    @Test("They are settled since all of them have sealed with the same key, without a minute unseen.")
    func settled() {
        var machines = SeenMachines()
        let (old, new) = (MachineNote("b", keys: ["1", "2"]), MachineNote("b", keys: ["2", "1"]))
        let own = MachineNote("a", keys: ["2", "1"])
        func settled(_ notes: [MachineNote], _ key: String = "2", at seconds: Int) -> Instant? {
            _ = machines.note(notes, sealing: key, at: at(seconds))
            return machines.settledSince
        }
        #expect(settled([own, old], at: 0) == nil)
        #expect(settled([own, new], at: 15) == at(15))
        #expect(settled([own, new], at: 30) == at(15))
        #expect(settled([own, new, MachineNote("c")], at: 45) == nil, "a machine without a known key")
        #expect(settled([own, new], at: 60) == at(60))
        #expect(settled([own, new], at: 120) == at(120), "a minute unseen")
        #expect(settled([MachineNote("a", keys: ["1"]), MachineNote("b", keys: ["1"])], "1", at: 130) == at(130))
    }
}
