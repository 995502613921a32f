import DaemonConfiguration
import SocketServer
import Synchronization
import Systemd

/// Both listening sockets: those that systemd has handed over, and those that had to be bound.
struct Sockets: Sendable {
    /// The apps' socket.
    let requests: DaemonSocket
    /// The operators' socket.
    let admin: DaemonSocket

    /// Takes what was handed over and binds the rest.
    init(_ handedOver: HandedOverSockets, _ settings: DaemonConfiguration.Sockets) throws {
        requests = try DaemonSocket(.requests, handedOver.requests, settings.requests.address)
        do {
            admin = try DaemonSocket(.admin, handedOver.admin, settings.admin.address)
        } catch {
            requests.removeName()
            throw error
        }
    }

    /// Their origins, for the log.
    var names: String { "\(requests.name),\(admin.name)" }

    /// Takes the names of the bound ones away; those of systemd stay.
    func removeNames() {
        requests.removeName()
        admin.removeName()
    }
}

/// One of them.
final class DaemonSocket: Sendable {
    let kind: SocketKind
    /// The descriptor that it had at the start.
    let descriptor: CInt
    /// Whether systemd has it, too, and goes on listening when this daemon ends.
    let isHandedOver: Bool
    /// Its path, as far as that is known.
    let path: String
    private let address: ListeningSocket.Address
    private let state: Mutex<State>

    private struct State {
        var bound: ListeningSocket?
        /// Whether its name is to be taken away, and never bound again.
        var isOver = false
    }

    fileprivate init(_ kind: SocketKind, _ handedOver: CInt?, _ address: ListeningSocket.Address) throws {
        let bound = handedOver == nil ? try ListeningSocket.bind(address) : nil
        self.kind = kind
        self.address = address
        descriptor = handedOver ?? bound?.descriptor ?? -1
        isHandedOver = handedOver != nil
        path = handedOver.map { ListeningSocket.path(of: $0) ?? address.path } ?? address.path
        state = Mutex(State(bound: bound))
    }

    /// Its origin, for the log.
    var name: String { isHandedOver ? "systemd" : path }

    /// Binds it anew where its name doesn't lead to it any more; nil: there is no need.
    ///
    /// - Throws: Where that can't be done: another daemon answers there, or the socket is systemd's.
    func bindAnewIfGone() throws -> CInt? {
        try state.withLock { state in
            guard !state.isOver else { return nil }
            guard let bound = state.bound else {
                if !ListeningSocket.isThere(path) { throw LostSocket(path: path) }
                return nil
            }
            if bound.isThere { return nil }
            // Without a wait for the lock: it is tried again in a moment, and the end of the daemon must not wait for this.
            let next = try ListeningSocket.bind(address, lockTimeout: .zero)
            state.bound = next
            return next.descriptor
        }
    }

    /// Takes its name away, if it was bound here.
    func removeName() {
        state.withLock { state in
            state.isOver = true
            state.bound?.removeName()
        }
    }
}

/// A socket of systemd's has lost its name.
private struct LostSocket: Error, CustomStringConvertible {
    let path: String

    var description: String { "socket \(path) is gone; restart the socket's unit, which binds it anew" }
}
