import DaemonConfiguration
import SocketServer
import Systemd

/// Both listening sockets: those that systemd has handed over, and those that had to be bound.
struct Sockets: Sendable {
    /// One of them.
    struct Socket {
        let descriptor: CInt
        /// Whether systemd has it, too, and goes on listening when this daemon ends.
        let isHandedOver: Bool
    }

    /// The apps' socket.
    let requests: Socket
    /// The operators' socket.
    let admin: Socket
    /// Where they come from, for the log.
    let names: String
    private let bound: [ListeningSocket]

    /// Takes what was handed over and binds the rest.
    init(_ handedOver: HandedOverSockets, _ settings: DaemonConfiguration.Sockets) throws {
        var bound: [ListeningSocket] = []
        func socket(_ descriptor: CInt?, _ place: ListeningSocket.Place) throws -> (Socket, String) {
            if let descriptor { return (Socket(descriptor: descriptor, isHandedOver: true), "systemd") }
            let socket = try ListeningSocket.bind(place)
            bound.append(socket)
            return (Socket(descriptor: socket.descriptor, isHandedOver: false), socket.path)
        }
        do {
            let (requests, requestsName) = try socket(handedOver.requests, settings.requests.place)
            let (admin, adminName) = try socket(handedOver.admin, settings.admin.place)
            (self.requests, self.admin, names) = (requests, admin, "\(requestsName),\(adminName)")
        } catch {
            for socket in bound { socket.removeName() }
            throw error
        }
        self.bound = bound
    }

    /// Takes the names of the bound ones away; those of systemd stay.
    func removeNames() {
        for socket in bound { socket.removeName() }
    }
}
