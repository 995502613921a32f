import DequeModule

/// A circuit breaker: it keeps calls from a tenant that is down.
///
/// While it is closed, calls are sent. After too many faults it opens for a while. Then one call is sent as a probe,
/// and its end closes the circuit or opens it for twice as long.
struct CircuitBreaker {
    /// The end of a call, as far as it shows the tenant's health.
    enum Ending: Equatable {
        /// The tenant did what it was asked.
        case success
        /// The tenant answered with a denial, so it is there.
        case answer
        /// The tenant is unreachable, too slow, unhealthy or gives malformed answers.
        case fault
        /// The end shows nothing.
        case unknown
    }

    /// The cause of an opening.
    enum Cause: Equatable {
        /// Too many faults.
        case faults
        /// The tenant denies the client itself.
        case client
    }

    /// The state of the circuit.
    enum State: Equatable {
        /// Calls are sent.
        case closed
        /// No calls are sent until a time.
        case open(until: Instant)
        /// One call is sent as a probe.
        ///
        /// The probe is nil until it is sent. The next call will be the probe.
        case halfOpen(probe: CallID?)
    }

    /// The change that the end of a call causes.
    enum Change: Equatable {
        case none
        case opened(until: Instant)
        case closed
    }

    private struct Ended {
        let at: Instant
        let isFault: Bool
    }

    private(set) var state = State.closed
    private(set) var cause = Cause.faults
    /// The time since which it has not been closed, or nil if it is closed.
    private(set) var openSince: Instant?
    /// The number of openings since the start, not counting failed probes.
    private(set) var openings = 0
    private var lastOpening: Duration?
    private var faultsInRow = 0
    /// The latest calls that ended within the window.
    private var recent: Deque<Ended> = []
    private var recentFaults = 0

    /// Updates the state to a time: after an opening a probe may be sent.
    mutating func update(_ now: Instant) {
        if case .open(let until) = state, until <= now { state = .halfOpen(probe: nil) }
    }

    /// True if a call may be sent.
    func allowsCall(_ now: Instant) -> Bool {
        switch state {
        case .closed: true
        case .open(let until): until <= now
        case .halfOpen(let probe): probe == nil
        }
    }

    /// Returns the time until which no call is sent, or nil if one may be sent or a probe is under way.
    func openUntil(_ now: Instant) -> Instant? {
        if case .open(let until) = state, until > now { until } else { nil }
    }

    /// Records that a call was sent.
    ///
    /// - Parameter usesClient: True if its answer shows whether the tenant accepts the client. If a denied client
    ///   opened the circuit, only such a call is the probe.
    mutating func started(_ call: CallID, usesClient: Bool, now: Instant) {
        update(now)
        if state == .halfOpen(probe: nil), usesClient || cause != .client { state = .halfOpen(probe: call) }
    }

    /// Records how a call ended.
    ///
    /// - Parameter jitterFraction: A random number, evenly distributed from 0 up to 1.
    mutating func ended(_ call: CallID, _ ending: Ending, jitterFraction: Double, now: Instant) -> Change {
        note(ending, now)
        switch state {
        case .halfOpen(probe: call):
            switch ending {
            // An answer doesn't prove that the tenant accepts the client again.
            case .answer where cause == .client:
                state = .halfOpen(probe: nil)
                return .none
            case .success, .answer: return close()
            case .fault: return open(cause, jitterFraction: jitterFraction, now: now)
            case .unknown:
                state = .halfOpen(probe: nil)
                return .none
            }
        case .closed where ending == .fault && hasTooManyFaults:
            return open(.faults, jitterFraction: jitterFraction, now: now)
        case .closed, .open, .halfOpen: return .none
        }
    }

    /// Opens the circuit from any state.
    mutating func open(_ cause: Cause, jitterFraction: Double, now: Instant) -> Change {
        typealias Constants = GovernorConstants
        let length = lastOpening.map { min($0 * 2, Constants.maxOpening) } ?? Constants.minOpening
        let until = now + length * (1 + Constants.openingSpread * (2 * jitterFraction - 1))
        if openSince == nil {
            openSince = now
            openings += 1
        }
        lastOpening = length
        self.cause = cause
        state = .open(until: until)
        return .opened(until: until)
    }

    /// Closes the circuit and resets its counts.
    @discardableResult
    mutating func close() -> Change {
        guard state != .closed else { return .none }
        state = .closed
        (openSince, lastOpening, faultsInRow) = (nil, nil, 0)
        recent.removeAll()
        recentFaults = 0
        return .closed
    }

    private mutating func note(_ ending: Ending, _ now: Instant) {
        switch ending {
        case .unknown: return
        case .fault: faultsInRow += 1
        case .success, .answer: faultsInRow = 0
        }
        recent.append(Ended(at: now, isFault: ending == .fault))
        recentFaults += ending == .fault ? 1 : 0
        while let first = recent.first,
            now - first.at > GovernorConstants.window || recent.count > GovernorConstants.maxRecentCalls
        {
            recent.removeFirst()
            recentFaults -= first.isFault ? 1 : 0
        }
    }

    private var hasTooManyFaults: Bool {
        if faultsInRow >= GovernorConstants.faultsInRow { return true }
        return recent.count >= GovernorConstants.minCalls && recentFaults * 2 >= recent.count
    }
}
