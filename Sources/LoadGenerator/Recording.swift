/// A measurement under way, with its warm-up.
///
/// The warm-up is measured, too, and forgotten with the first reply after it. If the load ends before, it is the
/// result.
struct Recording {
    private(set) var measurement = Measurement()
    /// The time at which the measurement began.
    private var start: UInt64
    /// The time at which the warm-up ends.
    private let warm: UInt64

    init(from begin: UInt64, warmUp: Duration) {
        (start, warm) = (begin, begin + nanoseconds(warmUp))
    }

    mutating func note(_ reply: ReplyScanner.Reply, sentAt: UInt64, now: UInt64) {
        if start < warm, now >= warm {
            start = warm
            measurement.forgetReplies()
        }
        measurement.add(reply, after: now - sentAt)
    }

    mutating func noteLostConnection() { measurement.lostConnections += 1 }

    /// Returns the result, with the requests that have no reply.
    func result(_ connections: [LoadConnection], now: UInt64) -> Measurement {
        var measurement = measurement
        measurement.elapsed = now > start ? now - start : 0
        for connection in connections {
            let (count, since) = connection.unanswered
            measurement.unanswered += count
            if count > 0, now > since {
                measurement.oldestUnanswered = max(measurement.oldestUnanswered, now - since)
            }
        }
        return measurement
    }
}
