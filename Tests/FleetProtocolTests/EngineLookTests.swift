import FleetProtocol
import Testing

@Suite("Looks of the engine")
struct EngineLookTests {
    @Test("A look accepts any fence unless it names one")
    func anyFence() {
        let names = EngineNames(bucket: "b", hold: "h", generation: "g", fence: "f", events: "e", eventCount: "c")
        let rate = EngineRate(perMinute: 80, burst: 80)
        let look = EngineLook(names: names, token: [], epoch: "1", minLeft: 0, purpose: .peek, rate: rate)
        #expect(look.newerThan == nil)
    }
}
