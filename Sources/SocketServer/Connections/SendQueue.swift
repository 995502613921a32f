import NIOCore
import TokenProtocol

/// Sends the replies of all connections once in each round of the event loop.
///
/// Waking a peer for a single reply costs both sides more than the request. So the requests of a round are answered
/// first, and all replies are sent at its end. A peer with several connections finds all its replies together.
final class SendQueue {
    /// The number of empty buffers that are kept: about as many connections as are served in one round.
    private static let maxSpare = 64

    /// The output that a connection gathers before it sends, in bytes, in a round with several connections.
    ///
    /// A batch of small requests can have replies twenty times its size, and more than this doesn't fit the processor's
    /// cache.
    private static let gathered = 64 * 1_024
    /// The same in a round with one connection, whose peer reads the first replies while the next are being written.
    private static let streamed = 4 * 1_024

    private let eventLoop: any EventLoop
    private let requestHandler: any RequestHandler
    private var connections: [ConnectionHandler] = []
    private var spare: [OutputBuffer] = []
    /// The output that a connection gathers before it sends, in bytes, by the number of connections in the last round.
    private(set) var largeOutput = streamed

    init(on eventLoop: any EventLoop, requestHandler: any RequestHandler) {
        self.eventLoop = eventLoop
        self.requestHandler = requestHandler
    }

    /// Makes a connection send at the end of this round.
    func add(_ connection: ConnectionHandler) {
        connections.append(connection)
        guard connections.count == 1 else { return }
        eventLoop.assumeIsolated().execute { self.sendAll() }
    }

    /// An empty buffer.
    ///
    /// Connections without output keep none.
    func takeBuffer() -> OutputBuffer { spare.popLast() ?? OutputBuffer() }

    /// Takes a buffer back whose bytes were sent.
    func returnBuffer(_ buffer: consuming OutputBuffer) {
        if spare.count < Self.maxSpare { spare.append(buffer) }
    }

    private func sendAll() {
        // Sending may close a connection, and others with it. Nothing of that adds a connection to the queue.
        let connections = connections
        largeOutput = connections.count > 1 ? Self.gathered : Self.streamed
        self.connections.removeAll(keepingCapacity: true)
        for connection in connections { connection.roundEnded() }
        requestHandler.roundEnded()
    }
}

@available(*, unavailable)
extension SendQueue: Sendable {}
