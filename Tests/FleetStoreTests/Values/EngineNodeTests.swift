import Testing
import TokenCache

@testable import FleetStore

@Suite("Connections to a node of the engine")
struct EngineNodeTests {
    private let start = ContinuousClock.now

    private func connected() -> EngineNode {
        var node = EngineNode()
        _ = node.want()
        node.connected(at: start)
        return node
    }

    @Test("A node that is needed is connected to once.")
    func want() {
        var node = EngineNode()
        #expect(node.want() == .connect)
        #expect(node.want() == .none)
        node.connected(at: start)
        #expect(node.state == .ready)
        #expect(node.want() == .none)
        #expect(node.release() == .close)
        #expect(node.release() == .none)
        #expect(node.want() == .connect)
    }

    @Test("A lost connection is opened again, after a random time that grows with the failures.")
    func lost() {
        var node = connected()
        #expect(node.ended(at: start, random: 0.5) == .wait(.milliseconds(25)))
        #expect(node.ended(at: start, random: 0.5) == .none, "it is lost once")
        #expect(node.waited() == .connect)
        #expect(node.ended(at: start, random: 0.5) == .wait(.milliseconds(50)))
    }

    @Test("After five failures nothing is asked for a second, then one connection is a probe.")
    func circuit() {
        var node = connected()
        for _ in 0..<4 {
            _ = node.ended(at: start, random: 0)
            #expect(node.waited() == .connect)
        }
        #expect(node.ended(at: start, random: 0) == .wait(.seconds(1)))
        #expect(node.waited() == .connect)
        #expect(node.circuit.state == .probing)
        #expect(node.ended(at: start, random: 0) == .wait(.seconds(2)))
        #expect(node.waited() == .connect)
        node.connected(at: start)
        #expect(node.circuit.state == .closed)
    }

    @Test("The third call in a row that times out closes the connection.")
    func timeouts() {
        var node = connected()
        #expect(node.failed(.timeout, at: start, random: 0) == .none)
        #expect(node.failed(.timeout, at: start, random: 0) == .none)
        node.succeeded(at: start)
        #expect(node.failed(.timeout, at: start, random: 0) == .none)
        #expect(node.failed(.timeout, at: start, random: 0) == .none)
        #expect(node.failed(.timeout, at: start, random: 0.5) == .wait(.milliseconds(75)))
        #expect(node.failed(.timeout, at: start, random: 0) == .none, "the others were on the same connection")
    }

    @Test(
        "A fault that only another connection can heal closes it at once.",
        arguments: [EngineFault.readOnly, .loading, .forbidden, .malformed, .connectionLost]
    )
    func wrongEngine(fault: EngineFault) {
        var node = connected()
        #expect(node.failed(fault, at: start, random: 0.5) == .wait(.milliseconds(25)))
    }

    @Test(
        "Other faults close it when there are five in a row.",
        arguments: [EngineFault.full, .busy, .clusterDown, .rejected]
    )
    func refused(fault: EngineFault) {
        var node = connected()
        for _ in 0..<4 { #expect(node.failed(fault, at: start, random: 0) == .none) }
        #expect(node.failed(fault, at: start, random: 0) == .wait(.seconds(1)))
    }

    @Test(
        "That too many calls wait, or keys are being moved, is no fault of the engine.",
        arguments: [EngineFault.overloaded, .notConnected, .moving]
    )
    func own(fault: EngineFault) {
        var node = connected()
        for _ in 0..<10 { #expect(node.failed(fault, at: start, random: 0) == .none) }
    }
}
