import Testing

@testable import TokenCache

@Suite("The circuit breaker alone")
struct CircuitBreakerTests {
    private let now = Simulation.start

    private func call(_ number: Int) -> CallID { CallID(slot: number, serial: UInt64(number)) }

    /// Ends calls with a jitterFraction by which an opening has its nominal length.
    private func end(_ circuit: inout CircuitBreaker, _ endings: [CircuitBreaker.Ending]) -> [CircuitBreaker.Change] {
        endings.enumerated().map { circuit.ended(call($0), $1, jitterFraction: 0.5, now: now) }
    }

    @Test("Five faults in a row open it, and any answer resets the count.")
    func faultsInRow() {
        var circuit = CircuitBreaker()
        #expect(end(&circuit, [.fault, .fault, .fault, .fault, .answer]).allSatisfy { $0 == .none })
        let changes = end(&circuit, [.fault, .fault, .fault, .fault, .unknown, .fault])
        #expect(changes == [.none, .none, .none, .none, .none, .opened(until: now + .seconds(5))])
        #expect(!circuit.allowsCall(now) && circuit.openSince == now && circuit.openings == 1)
        #expect(circuit.openUntil(now) == now + .seconds(5))
    }

    @Test("After an opening one probe goes. A fault opens it for twice as long, a success closes it.")
    func probe() {
        var circuit = CircuitBreaker()
        #expect(circuit.open(.faults, jitterFraction: 0.5, now: now) == .opened(until: now + .seconds(5)))
        let later = now + .seconds(5)
        #expect(circuit.allowsCall(later))
        circuit.started(call(1), usesClient: true, now: later)
        #expect(circuit.state == .halfOpen(probe: call(1)) && !circuit.allowsCall(later))
        #expect(circuit.ended(call(2), .success, jitterFraction: 0.5, now: later) == .none, "it isn't the probe")
        let opened = CircuitBreaker.Change.opened(until: later + .seconds(10))
        #expect(circuit.ended(call(1), .fault, jitterFraction: 0.5, now: later) == opened)
        circuit.started(call(3), usesClient: true, now: later + .seconds(10))
        #expect(circuit.ended(call(3), .success, jitterFraction: 0.5, now: later + .seconds(10)) == .closed)
        #expect(circuit.state == .closed && circuit.openSince == nil && circuit.openings == 1)
    }

    @Test("If a denied client opened it, only a call that uses the client is the probe, and no answer closes it.")
    func client() {
        var circuit = CircuitBreaker()
        _ = circuit.open(.client, jitterFraction: 0.5, now: now)
        let later = now + .seconds(5)
        circuit.started(call(1), usesClient: false, now: later)
        #expect(circuit.state == .halfOpen(probe: nil))
        circuit.started(call(2), usesClient: true, now: later)
        #expect(circuit.ended(call(2), .answer, jitterFraction: 0.5, now: later) == .none)
        #expect(circuit.state == .halfOpen(probe: nil))
    }
}
