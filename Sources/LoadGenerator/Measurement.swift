import Histogram

/// The result of a load.
package struct Measurement: Sendable {
    /// The times from sending a request to reading its reply, in nanoseconds.
    private var times = Histogram<UInt64>(
        highestTrackableValue: longest,
        numberOfSignificantValueDigits: .three
    )
    /// The number of replies with a token.
    package private(set) var tokens = 0
    /// The number of errors by code.
    ///
    /// The code of a reply that is neither is empty.
    package private(set) var errors: [String: Int] = [:]
    /// The time that was measured, in nanoseconds.
    package var elapsed: UInt64 = 0
    /// The requests that had no reply when the time was up.
    package var unanswered = 0
    /// The time for which the oldest of them had waited, in nanoseconds.
    package var oldestUnanswered: UInt64 = 0
    /// The connections that the daemon has closed.
    package var lostConnections = 0

    /// The longest time that is told apart from longer ones, in nanoseconds: five minutes, as no request waits longer.
    private static let longest: UInt64 = 300_000_000_000
    /// The most codes that are told apart: more than the protocol has.
    private static let mostCodes = 64

    /// Creates an empty measurement.
    package init() {}

    /// The number of all replies.
    package var replies: Int { tokens + errors.values.reduce(0, +) }

    /// The replies a second.
    package var rate: Double { elapsed > 0 ? Double(replies) / (Double(elapsed) / 1e9) : 0 }

    mutating func add(_ reply: ReplyScanner.Reply, after time: UInt64) {
        times.record(min(time, Self.longest))
        switch reply {
        case .token: tokens += 1
        case .error(let code):
            let isKept = errors[code] != nil || errors.count < Self.mostCodes
            errors[isKept ? code : "", default: 0] += 1
        }
    }

    /// Forgets the replies so far, which were those of a warm-up.
    mutating func forgetReplies() {
        times.reset()
        (tokens, errors) = (0, [:])
    }

    /// Adds what another thread has measured at the same time.
    mutating func add(_ other: Measurement) {
        times.add(other.times)
        tokens += other.tokens
        errors.merge(other.errors) { $0 + $1 }
        elapsed = max(elapsed, other.elapsed)
        unanswered += other.unanswered
        oldestUnanswered = max(oldestUnanswered, other.oldestUnanswered)
        lostConnections += other.lostConnections
    }

    /// The time within which a share of the replies came, in seconds.
    ///
    /// - Parameter percentile: From 0 to 100.
    package func seconds(at percentile: Double) -> Double {
        replies > 0 ? Double(times.valueAtPercentile(percentile)) / 1e9 : 0
    }
}
