import DaemonConfiguration
import SocketServer
package import Systemd

/// Both listening sockets: those that systemd has handed over, and those that the daemon binds.
package struct Sockets: Sendable {
    /// The applications' socket.
    package let requests: DaemonSocket
    /// The operators' socket.
    package let admin: DaemonSocket

    /// Takes the sockets that were handed over, and binds the others.
    package init(_ handedOver: HandedOverSockets, _ settings: StartSettings) throws {
        requests = try DaemonSocket(.requests, handedOver.requests, settings.requests.address)
        do {
            admin = try DaemonSocket(.admin, handedOver.admin, settings.admin.address)
        } catch {
            requests.removeName()
            throw error
        }
    }

    /// The origins of both, for the log.
    var names: String { "\(requests.name),\(admin.name)" }

    /// Removes the names of the sockets that were bound here.
    ///
    /// Those of systemd stay.
    package func removeNames() {
        requests.removeName()
        admin.removeName()
    }
}
