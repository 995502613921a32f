/// One of the daemon's two sockets.
package enum SocketKind: Sendable {
    /// The socket for applications.
    case requests
    /// The socket for operators.
    case admin
}
