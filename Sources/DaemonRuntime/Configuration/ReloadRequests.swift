package import TokenCache
package import TokenProtocol

/// A queue of requests for a reload.
///
/// They are done one after another, as two at once would mix their settings.
package struct ReloadRequests: Sendable {
    /// The operator who waits for a reload.
    package typealias Operator = (waiter: Waiter, peer: Peer)

    let requests: AsyncStream<Operator?>
    private let continuation: AsyncStream<Operator?>.Continuation

    /// Creates an empty queue.
    package init() { (requests, continuation) = AsyncStream.makeStream() }

    /// Requests a reload.
    ///
    /// The reply goes to the operator who waits, if there is one.
    package func ask(_ operator: Operator?) { continuation.yield(`operator`) }

    func end() { continuation.finish() }
}
