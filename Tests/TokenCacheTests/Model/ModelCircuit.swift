@testable import TokenCache

/// A tenant's circuit breaker, as minting.md describes it.
struct ModelCircuit {
    enum State {
        case closed
        case open(until: Instant)
        /// One call goes as a probe.
        ///
        /// If nil, the next call will be the probe.
        case halfOpen(probe: ModelCall?)
    }

    /// The change that the end of a call causes.
    enum Change {
        case none
        case opens
        case closes
    }

    private(set) var state = State.closed
    /// True if the tenant's denial of the client has opened it.
    private(set) var isForClient = false
    private var faultsInRow = 0
    private var recent: [(at: Instant, isFault: Bool)] = []
    private var lastOpening: Duration?

    var isClosed: Bool { if case .closed = state { true } else { false } }

    mutating func update(_ now: Instant) {
        if case .open(let until) = state, until <= now { state = .halfOpen(probe: nil) }
    }

    func openUntil(_ now: Instant) -> Instant? {
        if case .open(let until) = state, until > now { until } else { nil }
    }

    func allowsCall(_ now: Instant) -> Bool {
        switch state {
        case .closed: true
        case .open(let until): until <= now
        case .halfOpen(let probe): probe == nil
        }
    }

    mutating func started(_ call: ModelCall, now: Instant) {
        update(now)
        let usesClient = call.key.map { !$0.key.user.isClient } ?? false
        if case .halfOpen(nil) = state, usesClient || !isForClient { state = .halfOpen(probe: call) }
    }

    mutating func ended(_ call: ModelCall, _ ending: CircuitBreaker.Ending, now: Instant) -> Change {
        update(now)
        note(ending, now)
        if case .halfOpen(let probe) = state, probe === call { return probed(ending) }
        guard case .closed = state, ending == .fault, hasTooManyFaults else { return .none }
        isForClient = false
        return .opens
    }

    private mutating func probed(_ ending: CircuitBreaker.Ending) -> Change {
        switch ending {
        case .fault: return .opens
        case .success: return .closes
        // An answer proves that the tenant is there, not that it accepts the client.
        case .answer where !isForClient: return .closes
        case .answer, .unknown:
            state = .halfOpen(probe: nil)
            return .none
        }
    }

    private mutating func note(_ ending: CircuitBreaker.Ending, _ now: Instant) {
        guard ending != .unknown else { return }
        faultsInRow = ending == .fault ? faultsInRow + 1 : 0
        recent.append((now, ending == .fault))
        recent.removeAll { now - $0.at > .seconds(30) }
    }

    private var hasTooManyFaults: Bool {
        faultsInRow >= 5 || recent.count >= 10 && recent.count { $0.isFault } * 2 >= recent.count
    }

    /// The range of the time for which it would be open now.
    var nextOpening: ClosedRange<Duration> {
        let length = lastOpening.map { min($0 * 2, .seconds(60)) } ?? .seconds(5)
        return length * 0.8 - .milliseconds(1)...length * 1.2 + .milliseconds(1)
    }

    mutating func open(until: Instant, forClient: Bool? = nil) {
        lastOpening = lastOpening.map { min($0 * 2, .seconds(60)) } ?? .seconds(5)
        isForClient = forClient ?? isForClient
        state = .open(until: until)
    }

    mutating func close() {
        state = .closed
        (faultsInRow, recent, lastOpening) = (0, [], nil)
    }
}
