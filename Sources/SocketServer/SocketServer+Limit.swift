import Glibc
import OperatorReplies
import Reactor
import TokenProtocol

/// The limit of connections.
extension SocketServer {
    /// The number of connections to the admin socket that may be open while all others are taken.
    ///
    /// Without them an app could lock its operator out.
    package static let reservedAdminConnections = 8

    /// True if there is a connection left for a uid, or another uid's was closed for it.
    func hasSpace(for uid: UInt32, _ kind: SocketKind) -> Bool {
        counts.open < maxConnections || preemptConnection(for: uid) || kind == .admin && reserveAdminConnection()
    }

    /// Answers a connection that exceeds the limit with an error, and closes it.
    func reject(_ descriptor: CInt, _ uid: UInt32) {
        counts.rejected += 1
        connections.rejected(by: uid)
        var output = OutputBuffer()
        ReplyEncoder.encode(.error(.tooManyConnections), id: nil, into: &output)
        // It fits the buffer of a new socket.
        unsafe output.drain { _ = unsafe StreamSocket(descriptor, calls: calls).send($0) }
        Glibc.close(descriptor)
    }

    /// Closes a connection of a uid that has more than its quota.
    ///
    /// - Returns: False if there is no such uid.
    private func preemptConnection(for uid: UInt32) -> Bool {
        let donor = connections.quotas.donor(for: uid, limit: maxConnections, share: connectionShare)
        guard let donor, let connection = connections.best(of: donor) else { return false }
        connections.rejected(by: donor)
        preempt(connection, .neededByAnotherUser)
        return true
    }

    /// Finds one of the admin socket's reserved connections, and closes the least used one if all are taken.
    private func reserveAdminConnection() -> Bool {
        guard connections.adminCount >= Self.reservedAdminConnections, let connection = connections.bestOfAdmin()
        else { return true }
        preempt(connection, .neededByNewerAdmin)
        return true
    }

    private func preempt(_ connection: Connection, _ error: ErrorReply) {
        counts.rejected += 1
        connection.preempt(error)
    }
}
