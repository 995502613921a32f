package import TokenProtocol

/// Answers requests.
///
/// It is called on the server's event loop only, and returns at once.
package protocol RequestHandler: AnyObject {
    /// Answers a request, or returns nil and delivers the reply later, by ``SocketServer/deliver(_:to:)``.
    func handle(_ request: Request, from client: Client, waiter: Waiter) -> Reply?
    /// Lends the lookup of tokens that a client may have at once, for the duration of a call.
    func withHits(for client: Client, _ body: (HitLookup) -> Void)
    /// Announces the end of a turn of the event loop, in which the replies were handed to their sockets.
    func turnEnded()
    /// Cancels the waits of requests whose connection is closed.
    func cancel(_ waiters: [Waiter])
    /// Announces the outcome of a request that had to wait.
    func ended(_ operation: OperationName, _ outcome: RequestOutcome)
    /// Announces an error by which a connection has answered a line by itself.
    ///
    /// The operation is nil if the line is not a request.
    func rejected(_ operation: OperationName?, _ code: ErrorReply.Code, from client: Client)
    /// Announces an error that a connection has sent without a request.
    func sentError(_ code: ErrorReply.Code)
}
