import NIOCore
import TokenCache

/// A node with its connections.
final class NodeConnections {
    let address: EngineAddress
    /// Decides about the connections.
    var machine = EngineNode()
    /// The connection for calls.
    var session: EngineSession?
    /// The connections for events.
    var readers: [EventReader] = []
    /// The calls that wait for the handshake.
    var waiting: [(EngineFault?) -> Void] = []
    private var timer: Scheduled<Void>?

    /// Creates a node without connections.
    init(_ address: EngineAddress) { self.address = address }

    /// The session, if its handshake is done.
    var readySession: EngineSession? { session.flatMap { $0.epoch == nil ? nil : $0 } }

    /// The identity of the engine's process, while there is a connection.
    var epoch: String? { readySession?.epoch }

    /// Closes the connections.
    ///
    /// - Parameter drains: True if calls under way may end.
    func close(drains: Bool = false) {
        timer?.cancel()
        for reader in readers { reader.close() }
        readers = []
        let session = session
        self.session = nil
        if drains { session?.drain() } else { session?.close() }
        release(.notConnected)
    }

    /// Lets the waiting calls go, or fail.
    func release(_ fault: EngineFault?) {
        let released = waiting
        waiting = []
        for go in released { go(fault) }
    }

    /// Runs something after a time, unless the connections are closed before.
    func schedule(on loop: any EventLoop, in time: Duration, _ body: @escaping () -> Void) {
        timer?.cancel()
        timer = loop.assumeIsolated().scheduleTask(in: TimeAmount(time), body)
    }
}
