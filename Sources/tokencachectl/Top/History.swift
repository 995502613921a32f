import TokenCacheClient

/// The latest looks, as far as graphs and quantiles need them.
struct History: Sendable {
    /// The rates between two looks.
    struct Point: Sendable {
        /// Requests a second, or nil if the daemon was not there or was started in between.
        var requests: Double?
        var mints: Double?
        var provisions: Double?

        init(_ rates: Rates?) { (requests, mints, provisions) = (rates?.requests, rates?.mints, rates?.provisions) }
    }

    /// The most points that are kept, as many as a wide window has columns.
    private static let maxPoints = 500
    /// The time in which the quantiles' durations were measured.
    private static let period = Duration.seconds(60)

    private(set) var points: [Point] = []
    private(set) var last: Look?
    /// The rates between the last two looks, or nil if there is nothing to compare.
    private(set) var rates: Rates?
    /// Histograms of the last period, and one from before it.
    private var latencies: [(at: Duration, latencies: Look.Latencies)] = []

    /// Adds a look.
    mutating func add(_ look: Look) {
        rates = last.flatMap { Rates(from: $0, to: look) }
        if last != nil { append(Point(rates)) }
        if rates == nil { latencies = [] }
        if let histograms = look.latencies { latencies.append((look.at, histograms)) }
        // The daemon no longer says.
        if let latest = latencies.last, latest.at <= look.at - Self.period { latencies = [] }
        while latencies.count > 2, latencies[1].at <= look.at - Self.period { latencies.removeFirst() }
        last = look
    }

    /// Adds a gap: the daemon didn't answer.
    mutating func addGap() {
        rates = nil
        if last != nil { append(Point(nil)) }
    }

    private mutating func append(_ point: Point) {
        points.append(point)
        if points.count > Self.maxPoints { points.removeFirst() }
    }

    /// The times that hits and mints took in the last period, and its length in seconds, or nil if the daemon's metrics
    /// don't say.
    var recentLatencies: (latencies: Look.Latencies, seconds: Double)? {
        guard let first = latencies.first, let last = latencies.last, first.at < last.at,
            let difference = last.latencies.since(first.latencies)
        else { return nil }
        return (difference, (last.at - first.at).inSeconds)
    }
}
