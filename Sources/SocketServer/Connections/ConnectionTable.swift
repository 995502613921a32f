import TokenCache

/// The open connections, by number, by uid and by socket.
struct ConnectionTable {
    /// The positions of a connection in the queues.
    struct Positions {
        fileprivate let ofUID: PreemptionQueue.Position
        fileprivate let ofAdmin: PreemptionQueue.Position?
    }

    /// The counts by uid.
    private(set) var quotas = ConnectionQuotas()
    /// The number of connections to the admin socket.
    private(set) var adminCount = 0
    private var connections: [UInt64: Connection] = [:]
    private var queues: [UInt32: PreemptionQueue] = [:]
    private var adminQueue = PreemptionQueue()

    var isEmpty: Bool { connections.isEmpty }
    var all: some Collection<Connection> { connections.values }

    subscript(number: UInt64) -> Connection? { connections[number] }

    /// Adds a connection that was opened.
    mutating func insert(_ connection: Connection) {
        let (uid, isAdmin) = (connection.client.peer.uid, connection.client.socket == .admin)
        connections[connection.number] = connection
        connection.positions = Positions(
            ofUID: queues[uid, default: PreemptionQueue()].insert(connection),
            ofAdmin: isAdmin ? adminQueue.insert(connection) : nil
        )
        if isAdmin { adminCount += 1 }
        quotas.opened(by: uid)
    }

    /// Removes a connection that was closed.
    ///
    /// - Returns: False if it isn't there.
    mutating func remove(_ connection: Connection) -> Bool {
        guard connections.removeValue(forKey: connection.number) != nil else { return false }
        let uid = connection.client.peer.uid
        if let positions = connection.positions {
            queues[uid]?.remove(positions.ofUID)
            if queues[uid]?.isEmpty == true { queues[uid] = nil }
            if let position = positions.ofAdmin {
                adminQueue.remove(position)
                adminCount -= 1
            }
        }
        connection.positions = nil
        quotas.closed(by: uid)
        return true
    }

    /// Counts a connection of a uid that was rejected, or closed for another's.
    mutating func rejected(by uid: UInt32) { quotas.rejected(by: uid) }

    /// Notes that a connection that was known to wait has no waiting requests any more.
    mutating func waitsNoLonger(_ connection: Connection) {
        connection.isKnownToWait = false
        guard let positions = connection.positions else { return }
        queues[connection.client.peer.uid]?.correct(connection, positions.ofUID)
        if let position = positions.ofAdmin { adminQueue.correct(connection, position) }
    }

    /// Returns the connection of a uid that can best be closed.
    mutating func best(of uid: UInt32) -> Connection? { queues[uid]?.best { $0.positions?.ofUID } }

    /// Returns the connection to the admin socket that can best be closed.
    mutating func bestOfAdmin() -> Connection? { adminQueue.best { $0.positions?.ofAdmin } }
}
