import TokenCache

/// A circuit breaker: it keeps orders from an engine that fails.
///
/// After some failures in a row nothing is asked for a while. Then one connection is opened as a probe, and its end closes
/// the circuit, or opens it for twice as long. So do some connections that are lost soon after they were opened, though calls
/// on them were done: what is lost with them would be tried again and again.
struct EngineCircuit: Sendable, Equatable {
    /// The failures in a row that open the circuit: more than a single lost connection causes.
    static let failuresToOpen = 5
    /// The first pause.
    static let firstPause = Duration.seconds(1)
    /// The longest pause, so that an engine that is back is soon used.
    static let longestPause = Duration.seconds(30)
    /// The time for which the engine must do well until the next pause is the first one again.
    static let steadyTime = Duration.seconds(10)

    /// The state.
    enum State: Sendable, Equatable {
        /// The engine is asked.
        case closed
        /// The engine is not asked until a time.
        case open(until: Instant)
        /// One connection is being opened.
        case probing
    }

    private(set) var state = State.closed
    /// The failures since the last success.
    private(set) var failures = 0
    /// The openings since the start.
    private(set) var openings = 0
    /// The connections that were lost since the engine has done well for a while.
    private var losses = 0
    private var pause: Duration?
    /// The time since which there is a connection.
    private var connectedAt: Instant?

    /// Takes note of a failure.
    ///
    /// - Parameter random: A number from 0 up to 1, so that many machines don't come back at once.
    /// - Returns: The pause if the circuit opens by it.
    mutating func failed(at now: Instant, random: Double) -> Duration? {
        failures += 1
        return openIfDue(at: now, random: random)
    }

    /// Takes note that a connection was lost or couldn't be opened.
    ///
    /// - Parameter random: As for a failure.
    /// - Returns: The pause if the circuit opens by it.
    mutating func lost(at now: Instant, random: Double) -> Duration? {
        forgetIfSteady(at: now)
        connectedAt = nil
        (failures, losses) = (failures + 1, losses + 1)
        return openIfDue(at: now, random: random)
    }

    private mutating func openIfDue(at now: Instant, random: Double) -> Duration? {
        switch state {
        case .open: return nil
        case .closed where max(failures, losses) < Self.failuresToOpen: return nil
        case .closed, .probing: return open(at: now, random: random)
        }
    }

    /// Takes note that a connection was opened.
    mutating func connected(at now: Instant) {
        connectedAt = now
        succeeded(at: now)
    }

    /// Takes note that the engine did what it was asked.
    mutating func succeeded(at now: Instant) {
        (state, failures) = (.closed, 0)
        forgetIfSteady(at: now)
    }

    private mutating func forgetIfSteady(at now: Instant) {
        if let connectedAt, now - connectedAt >= Self.steadyTime { (pause, losses) = (nil, 0) }
    }

    /// Takes note that the pause is over, and a connection is opened as a probe.
    mutating func probe() { state = .probing }

    private mutating func open(at now: Instant, random: Double) -> Duration {
        let base = min(pause.map { $0 * 2 } ?? Self.firstPause, Self.longestPause)
        let length = base + base * (random / 2)
        pause = base
        openings += 1
        (failures, connectedAt) = (0, nil)
        state = .open(until: now + length)
        return length
    }
}
