package import TokenProtocol

// SocketServer: who is connected, and what becomes of a request.
//
// Why it exists: the rules of the line protocol and of the cache are values without I/O; this module is what moves their
// bytes. It promises that a connection is not read while it owes too much, that a peer that reads nothing is let go, and
// that a drain answers what was under way.

/// Which of the two sockets a connection came in on.
package enum SocketKind: Sendable {
    /// The apps' one.
    case requests
    /// The operators' one.
    case admin
}

/// Answers requests; it is called on the server's event loop only, and at once.
package protocol RequestHandler: AnyObject {
    /// Comes before the first request of what was read together.
    func batchBegan()
    /// The answer, or nil where it comes later, by ``SocketServer/deliver(_:to:)``.
    func handle(_ request: Request, from client: Client, waiter: Waiter) -> Reply?
    /// Lends the way to tokens that a peer can have at once, for the length of a call.
    func withHits(for client: Client, _ body: (HitLookup) -> Void)
    /// Comes after what was read together has been gone through.
    func batchEnded()
    /// Comes after the answers to the batches of one round of the event loop were handed to their sockets.
    func roundEnded()
    /// The connection of some who waited is gone.
    func leave(_ waiters: [Waiter])
    /// Counts an error that a connection has answered by itself.
    func answeredWithoutHandler(_ code: ErrorReply.Code)
}
