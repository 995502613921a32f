import Testing
import TokenCache

@testable import FleetStore

@Suite("The circuit breaker of the engine")
struct EngineCircuitTests {
    private let start = ContinuousClock.now

    private func opened() -> EngineCircuit {
        var circuit = EngineCircuit()
        for _ in 0..<5 { _ = circuit.failed(at: start, random: 0) }
        return circuit
    }

    @Test("The fifth failure in a row opens it for a second.")
    func opens() {
        var circuit = EngineCircuit()
        for _ in 0..<4 { #expect(circuit.failed(at: start, random: 0) == nil) }
        #expect(circuit.failed(at: start, random: 0) == .seconds(1))
        #expect(circuit.state == .open(until: start + .seconds(1)))
        #expect(circuit.openings == 1)
    }

    @Test("A success between failures keeps it closed.")
    func succeeds() {
        var circuit = EngineCircuit()
        for _ in 0..<4 { _ = circuit.failed(at: start, random: 0) }
        circuit.succeeded(at: start)
        for _ in 0..<4 { #expect(circuit.failed(at: start, random: 0) == nil) }
        #expect(circuit.state == .closed)
    }

    @Test("A failed probe opens it for twice as long, up to half a minute.")
    func doubles() {
        var circuit = opened()
        for seconds in [2, 4, 8, 16, 30, 30] {
            circuit.probe()
            #expect(circuit.failed(at: start, random: 0) == .seconds(seconds))
        }
    }

    @Test("The pause is up to half as long again, at random.")
    func random() {
        var circuit = opened()
        circuit.probe()
        #expect(circuit.failed(at: start, random: 0.5) == .milliseconds(2_500))
        circuit.probe()
        #expect(circuit.failed(at: start, random: 0) == .seconds(4), "the random part isn't doubled")
    }

    @Test("Failures while it is open change nothing.")
    func late() {
        var circuit = opened()
        #expect(circuit.failed(at: start, random: 0) == nil)
        #expect(circuit.state == .open(until: start + .seconds(1)))
    }

    @Test("The pauses begin anew only after the engine has done well for ten seconds.")
    func steady() {
        var circuit = opened()
        circuit.probe()
        circuit.connected(at: start)
        circuit.succeeded(at: start + .milliseconds(9_999))
        for _ in 0..<4 { _ = circuit.failed(at: start, random: 0) }
        #expect(circuit.failed(at: start, random: 0) == .seconds(2))
        circuit.probe()
        circuit.connected(at: start)
        circuit.succeeded(at: start + .seconds(10))
        for _ in 0..<4 { _ = circuit.failed(at: start, random: 0) }
        #expect(circuit.failed(at: start, random: 0) == .seconds(1))
    }

    @Test("Connections that are lost soon open it, though calls on them were done.")
    func losses() {
        var circuit = EngineCircuit()
        for loss in 1...7 {
            circuit.connected(at: start)
            circuit.succeeded(at: start + .seconds(9))
            let pause = circuit.lost(at: start + .seconds(9), random: 0)
            #expect(pause == [5: .seconds(1), 6: .seconds(2), 7: .seconds(4)][loss])
            if pause != nil { circuit.probe() }
        }
    }

    @Test("A connection that was lost after ten seconds is the first one.")
    func steadyLosses() {
        var circuit = EngineCircuit()
        for _ in 1...20 {
            circuit.connected(at: start)
            #expect(circuit.lost(at: start + .seconds(10), random: 0) == nil)
        }
    }
}
