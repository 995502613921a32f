/// Divides the reactor's time among connections whose peers have sent more requests than are answered at once.
///
/// Such a connection yields after a slice of work. It is served again in the next round, which begins after the
/// reactor has looked at all sockets, so other peers are answered in between.
final class ConnectionScheduler {
    /// The work of one round in requests other than hits, over all connections that have yielded: some milliseconds.
    private static let workPerRound = 256
    /// The largest slice of one connection, whose peer may have sent thousands of requests at once.
    private static let maxWorkPerSlice = 32

    /// The connections that wait for their next slice, in order.
    private var yielded: [Connection] = []
    /// The number of connections that had yielded before the present round.
    private var roundSize = 0

    /// True if a connection has yielded, so that the reactor has to begin its next turn at once.
    var hasYielded: Bool { !yielded.isEmpty }

    /// The work after which a connection yields, in requests.
    var workPerSlice: Int {
        max(1, min(Self.maxWorkPerSlice, Self.workPerRound / max(1, roundSize, yielded.count)))
    }

    /// Serves a connection again in the next round, as it has used its slice and has more requests.
    func yield(_ connection: Connection) { yielded.append(connection) }

    /// Serves a slice of each connection that has yielded, until the work of a round is done.
    func serveRound() {
        let connections = yielded
        yielded = []
        roundSize = connections.count
        var (work, served) = (0, 0)
        while served < connections.count, work < Self.workPerRound {
            work += connections[served].serveSlice()
            served += 1
        }
        // A prefetch may cost a thousand requests. The connections that it left unserved are the first of the next
        // round.
        if served < connections.count { yielded.insert(contentsOf: connections[served...], at: 0) }
        if yielded.isEmpty { roundSize = 0 }
    }
}

@available(*, unavailable)
extension ConnectionScheduler: Sendable {}
