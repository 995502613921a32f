/// The socket that accepted a connection.
package enum SocketKind: Sendable {
    /// The apps' socket.
    case requests
    /// The operators' socket.
    case admin
}
