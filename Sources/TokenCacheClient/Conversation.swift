/// The requests of one connection that the daemon hasn't answered, by their calls' ids.
struct Conversation {
    /// The daemon stops reading a connection on which 1,024 requests wait; below that, none holds up those behind it.
    static let window = 1_000

    /// The connection's number.
    let number: Int
    /// Whether the daemon is about to end: nothing more is asked here.
    var isDraining = false

    /// Calls that were given up stay here until their reply, because the daemon counts them as waiting.
    private var underWay: Set<Int> = []
    /// Those of them that somebody waits for.
    private var awaited: Set<Int> = []

    init(number: Int) { self.number = number }

    /// Whether it has as many requests as it may.
    var isFull: Bool { underWay.count >= Self.window }

    /// Whether another request may go on it.
    var hasRoom: Bool { !isFull && !isDraining }

    /// Whether somebody waits for a reply.
    var isAwaited: Bool { !awaited.isEmpty }

    /// The call is asked here.
    mutating func add(_ id: Int) {
        underWay.insert(id)
        awaited.insert(id)
    }

    /// Nobody waits for the call any more.
    mutating func giveUp(_ id: Int) { awaited.remove(id) }

    /// The call was answered; false where it wasn't asked here, was answered before, or nobody waits for it.
    mutating func remove(_ id: Int) -> Bool {
        underWay.remove(id)
        return awaited.remove(id) != nil
    }

    /// Forgets all; those that somebody waits for, in the order in which they were called.
    mutating func clear() -> [Int] {
        defer {
            underWay = []
            awaited = []
        }
        return awaited.sorted()
    }
}
