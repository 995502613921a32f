/// Requests for a round of look-ups.
///
/// Requests that wait together cause one round.
package struct AccountRequests: Sendable {
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// Creates an empty queue.
    package init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Requests a round.
    package func ask() { continuation.yield() }
}
