package import TokenProtocol

/// Answers requests.
///
/// It is called on the server's event loop only, and returns at once.
package protocol RequestHandler: AnyObject {
    /// Announces the requests that were read together.
    func batchBegan()
    /// Answers a request, or returns nil and delivers the reply later, by ``SocketServer/deliver(_:to:)``.
    func handle(_ request: Request, from client: Client, waiter: Waiter) -> Reply?
    /// Lends the lookup of tokens that a client may have at once, for the duration of a call.
    func withHits(for client: Client, _ body: (HitLookup) -> Void)
    /// Announces the end of what was read together.
    func batchEnded()
    /// Announces that the replies of one round of the event loop were handed to their sockets.
    func roundEnded()
    /// Cancels requests whose connection was closed.
    func cancel(_ waiters: [Waiter])
    /// Counts an error that a connection has answered by itself.
    func countError(_ code: ErrorReply.Code)
}
