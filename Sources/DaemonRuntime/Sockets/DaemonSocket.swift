package import SocketServer
import Synchronization

/// One of the daemon's listening sockets.
package final class DaemonSocket: Sendable {
    /// The socket's purpose.
    package let kind: SocketKind
    /// The descriptor at the start.
    package let descriptor: CInt
    /// True if systemd has the socket, too, and goes on listening when this daemon ends.
    package let isHandedOver: Bool
    /// The path, or the configured one if that of a socket of systemd's isn't known.
    package let path: String
    private let address: ListeningSocket.Address
    private let state: Mutex<State>

    private struct State {
        var bound: ListeningSocket?
        /// True if the daemon ends and the name stays removed.
        var isEnded = false
    }

    init(_ kind: SocketKind, _ handedOver: CInt?, _ address: ListeningSocket.Address) throws {
        let bound = handedOver == nil ? try ListeningSocket.bind(address) : nil
        self.kind = kind
        self.address = address
        descriptor = handedOver ?? bound?.descriptor ?? -1
        isHandedOver = handedOver != nil
        path = handedOver.map { ListeningSocket.path(of: $0) ?? address.path } ?? address.path
        state = Mutex(State(bound: bound))
    }

    /// The socket's origin, for the log.
    var name: String { isHandedOver ? "systemd" : path }

    /// Binds the socket again if its name no longer leads to it.
    ///
    /// - Returns: The new descriptor, or nil if there was no need.
    /// - Throws: If it can't be bound, as another daemon answers there or the socket is systemd's.
    package func bindAgainIfGone() throws -> CInt? {
        try state.withLock { state in
            guard !state.isEnded else { return nil }
            guard let bound = state.bound else {
                if !ListeningSocket.isThere(path) { throw LostSocket(path: path) }
                return nil
            }
            if bound.isThere { return nil }
            // Without a wait for the lock: the next check tries again, and the end of the daemon must not wait for this.
            let next = try ListeningSocket.bind(address, lockTimeout: .zero)
            state.bound = next
            return next.descriptor
        }
    }

    /// Removes the name of a socket that can't be served, so that nobody waits there and the next check binds it again.
    package func unbind() { state.withLock { $0.bound?.removeName() } }

    /// Removes the socket's name for good, if it was bound here.
    package func removeName() {
        state.withLock { state in
            state.isEnded = true
            state.bound?.removeName()
        }
    }
}

/// A socket of systemd's has lost its name.
private struct LostSocket: Error, CustomStringConvertible {
    let path: String

    var description: String { "socket \(path) is gone; restart the socket's unit, which binds it anew" }
}
