/// Requests for a round of the name service.
///
/// Several at once are one.
package struct AccountRequests: Sendable {
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// Creates an empty queue.
    package init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Requests a round.
    package func ask() { continuation.yield() }
}
