import CLinux
import Glibc
import Reactor
import SystemPackage

/// A socket on which connections are accepted.
///
/// If accepting fails, as it does when the process has no descriptors left, it pauses for a moment. The kernel goes on
/// reporting the connection that waits, so without a pause the reactor would do nothing but try.
final class Listener: EventSource {
    /// The pause, which is long compared with the cost of one attempt, and short compared with what a peer in the queue
    /// notices.
    private static let pause = Duration.milliseconds(100)
    /// The connections that are accepted in one turn.
    ///
    /// Those that have come together are few. A flood of them must not keep the requests of others waiting.
    private static let maxPerTurn = 16

    let kind: SocketKind
    /// True if the service manager has the socket, too, so that the next daemon serves the connections in its queue.
    let isHandedOver: Bool
    let descriptor: CInt
    private let port: ListeningPort
    private let reactor: Reactor
    private let onConnection: (CInt) -> Void
    private let onFault: (Errno) -> Void
    private var pauseTimer: ReactorTimer?
    private var isClosed = false

    /// Creates a listener that accepts nothing yet.
    ///
    /// - Parameters:
    ///   - onConnection: Called with the descriptor of each connection, which it owns.
    ///   - onFault: Called with each fault.
    init(
        _ port: ListeningPort,
        kind: SocketKind,
        isHandedOver: Bool,
        on reactor: Reactor,
        onConnection: @escaping (CInt) -> Void,
        onFault: @escaping (Errno) -> Void
    ) {
        (self.port, self.kind, self.isHandedOver, self.reactor) = (port, kind, isHandedOver, reactor)
        (self.onConnection, self.onFault) = (onConnection, onFault)
        descriptor = port.descriptor
    }

    /// Accepts connections from now on.
    func start() throws(Errno) {
        // A descriptor of the service manager's may block.
        guard make_nonblocking(descriptor) == 0 else { throw Errno(rawValue: errno) }
        try reactor.register(self, for: .accepting)
    }

    func ready(_ events: Events) {
        for _ in 0..<Self.maxPerTurn {
            switch port.accept() {
            case .connection(let connection): onConnection(connection)
            case .nothing: return
            case .failed(let error): return fail(error)
            }
            // A connection may have ended the server.
            if isClosed { return }
        }
    }

    /// Accepts the connections that wait now, before the end.
    func acceptRest() {
        while case .connection(let connection) = port.accept() { onConnection(connection) }
    }

    private func fail(_ error: Errno) {
        onFault(error)
        try? reactor.change(self, to: .nothing)
        let timer = ReactorTimer(on: reactor) { [weak self] in self?.acceptAgain() }
        pauseTimer = timer
        timer.schedule(in: Self.pause)
    }

    private func acceptAgain() {
        pauseTimer = nil
        try? reactor.change(self, to: .accepting)
    }

    /// Stops accepting, and closes the descriptor.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        pauseTimer?.schedule(at: nil)
        reactor.deregister(self)
        Glibc.close(descriptor)
    }
}

@available(*, unavailable)
extension Listener: Sendable {}
