import Glibc
import TokenCache
import TokenProtocol

/// The ends of a connection.
extension Connection {
    /// Answers no further requests, and closes when the last reply was sent.
    func drain() {
        machine.drain()
        flush()
    }

    /// Closes the connection at the deadline of a drain, with an error for each request that still waits.
    func endDrain() {
        _ = cancelWaiting(.shuttingDown)
        send()
        close()
    }

    /// Closes the connection for another one, with an error for each request that waits.
    func preempt(_ error: ErrorReply) {
        // Without a request the error is sent all the same, as a rejected connection gets one, too.
        if cancelWaiting(error) == 0 {
            ReplyEncoder.encode(.error(error), id: nil, into: &machine.output)
            requestHandler.sentError(error.code)
        }
        send()
        close()
    }

    /// Answers each request that waits with an error.
    ///
    /// - Returns: The number of these requests.
    private func cancelWaiting(_ error: ErrorReply) -> Int {
        let pending = machine.pending
        requestHandler.cancel(pending.map { Waiter(connection: number, ticket: $0.ticket) })
        for request in pending {
            _ = machine.deliver(.error(error), to: request.ticket)
            requestHandler.ended(request.operation, .error(error.code))
        }
        return pending.count
    }

    /// Closes the connection at once.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        server.stopServing(self)
        Glibc.close(descriptor)
        let dropped = replies.removeAll()
        if dropped > 0 { server.unsentShrank(by: dropped, of: client.peer.uid) }
        cancelled(machine.close())
        server.closed(self)
    }

    /// Tells the handler that requests get no reply.
    func cancelled(_ pending: [PendingRequest]) {
        requestHandler.cancel(pending.map { Waiter(connection: number, ticket: $0.ticket) })
        for request in pending { requestHandler.ended(request.operation, .cancelled) }
    }
}
