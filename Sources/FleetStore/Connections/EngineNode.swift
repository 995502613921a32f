import TokenCache

/// Decides when a node of the engine is connected to, and when a connection is given up.
struct EngineNode: Sendable, Equatable {
    /// The calls that may time out, one after another, before the connection is opened anew.
    ///
    /// A lost packet may cost one, and an engine that has stopped costs no more than these.
    static let timeoutsToReconnect = 3
    /// The time within which a lost connection is opened again, at random, for each failure so far.
    static let reconnectTime = Duration.milliseconds(50)

    /// The state of the connection.
    enum State: Sendable, Equatable {
        /// There is none, and none is needed.
        case unused
        /// It is being opened.
        case connecting
        /// It can be used.
        case ready
        /// It will be opened later.
        case waiting
    }

    /// The consequence of an event.
    enum Action: Sendable, Equatable {
        /// None.
        case none
        /// Open a connection.
        case connect
        /// Close the connection if there is one, and call ``EngineNode/waited()`` after a time.
        case wait(Duration)
        /// Close the connection, or forget the wait.
        case close
    }

    private(set) var state = State.unused
    private(set) var circuit = EngineCircuit()
    private var timeouts = 0

    /// The node is needed.
    mutating func want() -> Action {
        guard state == .unused else { return .none }
        return connect()
    }

    /// The node is not needed any more.
    mutating func release() -> Action {
        guard state != .unused else { return .none }
        state = .unused
        return .close
    }

    /// The wait is over.
    mutating func waited() -> Action {
        guard state == .waiting else { return .none }
        return connect()
    }

    /// The connection was opened, and the engine is what was expected.
    mutating func connected(at now: Instant) {
        (state, timeouts) = (.ready, 0)
        circuit.connected(at: now)
    }

    /// The connection couldn't be opened, or was lost.
    mutating func ended(at now: Instant, random: Double) -> Action {
        guard state != .unused, state != .waiting else { return .none }
        return retry(circuit.lost(at: now, random: random), random: random)
    }

    /// A call was done.
    mutating func succeeded(at now: Instant) {
        timeouts = 0
        circuit.succeeded(at: now)
    }

    /// A call failed.
    mutating func failed(_ fault: EngineFault, at now: Instant, random: Double) -> Action {
        // The others are not the engine's.
        guard state == .ready, ![.overloaded, .notConnected, .moving].contains(fault) else { return .none }
        if fault == .timeout { timeouts += 1 }
        let isLost = fault.needsNewConnection || timeouts >= Self.timeoutsToReconnect
        let pause = isLost ? circuit.lost(at: now, random: random) : circuit.failed(at: now, random: random)
        guard isLost || pause != nil else { return .none }
        return retry(pause, random: random)
    }

    private mutating func retry(_ pause: Duration?, random: Double) -> Action {
        (state, timeouts) = (.waiting, 0)
        return .wait(pause ?? Self.reconnectTime * (Double(circuit.failures) * random))
    }

    private mutating func connect() -> Action {
        if case .open = circuit.state { circuit.probe() }
        state = .connecting
        return .connect
    }
}
