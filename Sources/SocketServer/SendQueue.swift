import NIOCore
import TokenProtocol

/// Sends what has gathered on the connections, once in each round of the event loop.
///
/// A peer that is woken by the reply to one request, finds nothing else and goes to sleep again costs both sides more
/// than the request. So what a round of the loop has brought is answered first and sent then, and a peer with several
/// connections finds all its replies together.
final class SendQueue {
    /// So many empty buffers are kept: as many connections are mostly served in one round.
    private static let mostSpare = 64

    /// What is gathered before it is sent where several connections are served in a round, in bytes: a batch of small
    /// requests can bring replies twenty times its size, and more than this at once falls out of the processor's cache.
    private static let gathered = 64 * 1_024
    /// And where one is served alone: its peer takes the first replies while the next are being written.
    private static let streamed = 4 * 1_024

    private let eventLoop: any EventLoop
    private let requestHandler: any RequestHandler
    private var connections: [ConnectionHandler] = []
    private var spare: [OutputBuffer] = []
    /// How much a connection is to gather before it sends, by what the last round was like.
    private(set) var largeOutput = streamed

    init(on eventLoop: any EventLoop, requestHandler: any RequestHandler) {
        self.eventLoop = eventLoop
        self.requestHandler = requestHandler
    }

    /// Has a connection send at the end of this round.
    func add(_ connection: ConnectionHandler) {
        connections.append(connection)
        guard connections.count == 1 else { return }
        eventLoop.assumeIsolated().execute { self.sendAll() }
    }

    /// An empty buffer; connections that have nothing to say keep none.
    func takeBuffer() -> OutputBuffer { spare.popLast() ?? OutputBuffer() }

    /// Takes a buffer back that has been sent.
    func giveBack(_ buffer: consuming OutputBuffer) {
        if spare.count < Self.mostSpare { spare.append(buffer) }
    }

    private func sendAll() {
        // A connection that is told to send may close, and others with it; none of them adds another here.
        let connections = connections
        largeOutput = connections.count > 1 ? Self.gathered : Self.streamed
        self.connections.removeAll(keepingCapacity: true)
        for connection in connections { connection.roundEnded() }
        requestHandler.roundEnded()
    }
}

@available(*, unavailable)
extension SendQueue: Sendable {}
