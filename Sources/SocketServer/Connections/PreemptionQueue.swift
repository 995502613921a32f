import TokenCache

/// Finds the connection that can best be closed for another: one without waiting requests, of these the longest unused.
///
/// Connections are used far more often than one is looked for. So a use changes nothing here, and the position of a
/// connection is corrected when it is the first. Each correction belongs to a use, and takes logarithmic time.
struct PreemptionQueue {
    /// The order in which connections are closed.
    fileprivate struct Rank: Comparable {
        let isWaiting: Bool
        let lastUse: UInt64

        init(_ connection: Connection) { (isWaiting, lastUse) = (connection.isWaiting, connection.lastUse) }

        static func < (left: Rank, right: Rank) -> Bool {
            left.isWaiting == right.isWaiting ? left.lastUse < right.lastUse : right.isWaiting
        }
    }

    /// The position of a connection.
    struct Position {
        fileprivate let handle: IndexedHeap<Rank, Connection>.Handle
    }

    private var connections = IndexedHeap<Rank, Connection>()

    /// True if there are no connections.
    var isEmpty: Bool { connections.isEmpty }

    mutating func insert(_ connection: Connection) -> Position {
        Position(handle: connections.insert(connection, at: Rank(connection)))
    }

    mutating func remove(_ position: Position) { connections.remove(position.handle) }

    /// Corrects the position of a connection that has no waiting requests any more.
    ///
    /// Its rank is lower than before, so the search would not find it.
    mutating func correct(_ connection: Connection, _ position: Position) {
        connections.move(position.handle, to: Rank(connection))
    }

    /// Returns the connection that can best be closed.
    ///
    /// - Parameter position: The position of a connection in this queue.
    mutating func best(position: (Connection) -> Position?) -> Connection? {
        while let (rank, connection) = connections.min {
            let present = Rank(connection)
            guard rank < present, let position = position(connection) else { return connection }
            connections.move(position.handle, to: present)
            if present.isWaiting { connection.isKnownToWait = true }
        }
        return nil
    }
}
