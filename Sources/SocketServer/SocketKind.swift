/// The socket that a connection came in on.
package enum SocketKind: Sendable {
    /// The apps' socket.
    case requests
    /// The operators' socket.
    case admin
}
