import NIOHTTP1

/// The counters and the list of requests.
struct RequestLog: Sendable {
    /// More requests than any test looks at, past which the older half is dropped to bound the memory of long runs.
    private static let maximumRequests = 65_536

    var counters = StandInTenant.Counters()
    private(set) var requests: [StandInTenant.SeenRequest] = []
    /// The rules that requests broke, all of them, one sentence each with the request's number.
    private(set) var violations: [String] = []
    private var last = 0

    /// Adds a request, and returns its number.
    mutating func add(_ request: IncomingRequest, origin: StandInTenant.Origin, carriedSecret: Bool) -> Int {
        last += 1
        if requests.count == Self.maximumRequests { requests.removeFirst(Self.maximumRequests / 2) }
        let (method, path) = (request.head.method.rawValue, request.head.uri)
        requests.append(.init(number: last, method: method, path: path, origin: origin, carriedSecret: carriedSecret))
        note(last) { entry in entry.traceparent = request.head.headers["traceparent"].first }
        return last
    }

    /// Changes the entry of a request, unless it was dropped.
    mutating func note(_ call: Int, _ change: (inout StandInTenant.SeenRequest) -> Void) {
        guard let first = requests.first?.number, requests.indices.contains(call - first) else { return }
        change(&requests[call - first])  // The numbers have no gaps.
    }

    /// Notes the rules that a request broke.
    mutating func note(_ call: Int, violations: [String]) {
        guard !violations.isEmpty else { return }
        counters.violations += 1
        self.violations += violations.map { sentence in "request \(call): \(sentence)" }
        note(call) { entry in entry.violations += violations }
    }

    /// Notes that a connection carried something other than requests.
    mutating func note(malformed sentence: String) {
        counters.violations += 1
        violations.append(sentence)
    }

    /// Forgets everything but the present state.
    mutating func reset() {
        var fresh = StandInTenant.Counters()
        fresh.openConnections = counters.openConnections
        fresh.inProgress = counters.inProgress
        fresh.peakConcurrency = counters.inProgress
        (counters, requests, violations) = (fresh, [], [])
    }
}
