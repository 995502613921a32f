import DequeModule

/// Tells a tenant that stumbles from one that is down, and keeps calls from the latter.
///
/// Closed, calls go. After too many faults it opens for a while; then one call goes as a probe, and what becomes of it
/// closes the circuit or opens it for twice as long.
struct CircuitBreaker {
    /// How a call ended, as far as it tells of the tenant.
    enum Ending: Equatable {
        /// It did what it was asked.
        case success
        /// It answered, and refused: it is there.
        case answer
        /// It can't be reached, takes too long, isn't well or answers what can't be understood.
        case fault
        /// It tells nothing.
        case unknown
    }

    /// Why it is open.
    enum Cause: Equatable {
        /// Too many faults.
        case faults
        /// The tenant refuses the client itself.
        case client
    }

    /// Whether calls go.
    enum State: Equatable {
        /// They do.
        case closed
        /// They don't, until a time.
        case open(until: Instant)
        /// One goes; nil: the next will be it.
        case halfOpen(probe: CallID?)
    }

    /// What an ending changed.
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
    /// Since when it has not been closed; nil: it is.
    private(set) var openSince: Instant?
    /// How often it has opened since the start, probes that failed not counted.
    private(set) var openings = 0
    private var lastOpening: Duration?
    private var faultsInRow = 0
    /// The calls that ended within the window, the latest of them if there were very many.
    private var recent: Deque<Ended> = []
    private var recentFaults = 0

    /// Lets time pass: an opening that is over makes room for a probe.
    mutating func update(_ now: Instant) {
        if case .open(let until) = state, until <= now { state = .halfOpen(probe: nil) }
    }

    /// Whether a call may go.
    func letsCallGo(_ now: Instant) -> Bool {
        switch state {
        case .closed: true
        case .open(let until): until <= now
        case .halfOpen(let probe): probe == nil
        }
    }

    /// Until when surely no call goes; nil: one can, or a probe is under way and nobody knows.
    func openUntil(_ now: Instant) -> Instant? {
        if case .open(let until) = state, until > now { until } else { nil }
    }

    /// Notes that a call goes.
    ///
    /// - Parameter usesClient: Whether its answer tells if the tenant takes the client. Where that is what opened the
    ///   circuit, no other call is the probe.
    mutating func started(_ call: CallID, usesClient: Bool, now: Instant) {
        update(now)
        if state == .halfOpen(probe: nil), usesClient || cause != .client { state = .halfOpen(probe: call) }
    }

    /// Notes how a call ended.
    ///
    /// - Parameter draw: Evenly from 0 up to 1.
    mutating func ended(_ call: CallID, _ ending: Ending, draw: Double, now: Instant) -> Change {
        note(ending, now)
        switch state {
        case .halfOpen(probe: call):
            switch ending {
            // That a tenant answers is no proof that it takes the client again.
            case .answer where cause == .client:
                state = .halfOpen(probe: nil)
                return .none
            case .success, .answer: return close()
            case .fault: return open(cause, draw: draw, now: now)
            case .unknown:
                state = .halfOpen(probe: nil)
                return .none
            }
        case .closed where ending == .fault && hasTooManyFaults: return open(.faults, draw: draw, now: now)
        case .closed, .open, .halfOpen: return .none
        }
    }

    /// Opens it, whatever it was.
    mutating func open(_ cause: Cause, draw: Double, now: Instant) -> Change {
        typealias Constants = GovernorConstants
        let length = lastOpening.map { min($0 * 2, Constants.longestOpening) } ?? Constants.shortestOpening
        let until = now + length * (1 + Constants.openingSpread * (2 * draw - 1))
        if openSince == nil {
            openSince = now
            openings += 1
        }
        lastOpening = length
        self.cause = cause
        state = .open(until: until)
        return .opened(until: until)
    }

    /// Closes it and forgets what opened it.
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
            now - first.at > GovernorConstants.window || recent.count > GovernorConstants.mostRecentCalls
        {
            recent.removeFirst()
            recentFaults -= first.isFault ? 1 : 0
        }
    }

    private var hasTooManyFaults: Bool {
        if faultsInRow >= GovernorConstants.faultsInRow { return true }
        return recent.count >= GovernorConstants.fewestCalls && recentFaults * 2 >= recent.count
    }
}
