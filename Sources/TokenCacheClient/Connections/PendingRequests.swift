/// The requests of one connection that the daemon hasn't answered, by their calls' ids.
struct PendingRequests {
    /// The most requests that are pending on one connection.
    ///
    /// The daemon stops reading a connection at 1,024 waiting requests. Below that, none delays those behind it.
    static let limit = 1_000

    /// The number of the connection.
    let connection: Int
    /// True if the daemon is shutting down, so that no further request is sent on this connection.
    var isDraining = false

    /// The calls without a reply, with those that were given up: the daemon counts them as waiting, too.
    private var unanswered: Set<Int> = []
    /// The unanswered calls that somebody waits for.
    private var awaited: Set<Int> = []

    init(connection: Int) { self.connection = connection }

    /// True if the connection has as many requests as it may.
    var isFull: Bool { unanswered.count >= Self.limit }

    /// True if the connection accepts another request.
    var hasCapacity: Bool { !isFull && !isDraining }

    /// True if somebody waits for a reply.
    var isAwaited: Bool { !awaited.isEmpty }

    /// Adds a call that is sent on this connection.
    mutating func add(_ id: Int) {
        unanswered.insert(id)
        awaited.insert(id)
    }

    /// Records that nobody waits for the call any more.
    mutating func giveUp(_ id: Int) { awaited.remove(id) }

    /// Removes a call that was answered.
    ///
    /// The result is true if somebody waits for it.
    mutating func remove(_ id: Int) -> Bool {
        unanswered.remove(id)
        return awaited.remove(id) != nil
    }

    /// Removes all calls and returns those that somebody waits for, in the order in which they were made.
    mutating func removeAll() -> [Int] {
        defer {
            unanswered = []
            awaited = []
        }
        return awaited.sorted()
    }
}
