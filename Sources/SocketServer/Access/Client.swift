package import TokenCache

/// The client at the other end of a connection: its socket, and its peer as the kernel reports it.
package final class Client {
    /// The socket.
    package let socket: SocketKind
    /// The peer.
    package let peer: Peer
    /// The decision of a gatekeeper about this client, which may have been replaced since.
    var authorization: Authorization?
    /// The count of the peer's uid, once it has been found.
    var requests: UserRequests?

    /// Creates a client for which nothing has been decided yet.
    package init(socket: SocketKind, peer: Peer) {
        self.socket = socket
        self.peer = peer
    }
}

@available(*, unavailable)
extension Client: Sendable {}
