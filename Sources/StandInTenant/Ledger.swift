/// What has happened: the counters and the list of requests.
package struct Ledger: Sendable {
    /// As many requests as any test looks at; past it the older half is dropped, so that a long run doesn't fill memory.
    private static let maximumRequests = 65_536

    /// The counters.
    package var counters = StandInTenant.Counters()
    /// The requests, the oldest first.
    package private(set) var requests: [StandInTenant.SeenRequest] = []

    /// The rules that requests broke, one sentence each, with the request's number; kept apart, so none is dropped.
    package private(set) var violations: [String] = []
    private var last = 0

    /// Nothing has happened.
    package init() {}

    /// Enters a request.
    package mutating func enter(
        _ request: IncomingRequest,
        origin: StandInTenant.Origin,
        at now: ContinuousClock.Instant
    ) -> CallNumber {
        last += 1
        if requests.count == Self.maximumRequests { requests.removeFirst(Self.maximumRequests / 2) }
        requests.append(
            StandInTenant.SeenRequest(
                number: last,
                method: request.method,
                path: request.target,
                origin: origin,
                arrival: now
            )
        )
        return CallNumber(last)
    }

    /// Changes the entry of a request, where it is still there.
    package mutating func note(_ call: CallNumber, _ change: (inout StandInTenant.SeenRequest) -> Void) {
        guard let first = requests.first?.number, requests.indices.contains(call.value - first) else { return }
        let index = call.value - first  // The numbers have no gaps.
        change(&requests[index])
    }

    /// Notes the rules that a request broke.
    package mutating func note(_ call: CallNumber, violations: [String]) {
        guard !violations.isEmpty else { return }
        counters.violations += 1
        self.violations += violations.map { sentence in "request \(call.value): \(sentence)" }
        note(call) { entry in entry.violations += violations }
    }

    /// Notes that something came that isn't even a request.
    package mutating func note(rubbish sentence: String) {
        counters.violations += 1
        violations.append(sentence)
    }

    /// A call begins.
    package mutating func begin() {
        counters.inProgress += 1
        counters.peakConcurrency = max(counters.peakConcurrency, counters.inProgress)
    }

    /// A call has its reply, or will never have one.
    package mutating func end(_ call: CallNumber, at now: ContinuousClock.Instant) {
        counters.inProgress -= 1
        note(call) { entry in entry.ended = now }
    }

    /// Forgets everything but what is going on.
    package mutating func reset() {
        var fresh = StandInTenant.Counters()
        fresh.openConnections = counters.openConnections
        fresh.inProgress = counters.inProgress
        fresh.peakConcurrency = counters.inProgress
        fresh.held = counters.held
        counters = fresh
        requests = []
        violations = []
    }
}
