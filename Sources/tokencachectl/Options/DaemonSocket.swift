/// One of the daemon's two sockets.
package enum DaemonSocket: Sendable {
    /// The socket for applications.
    case requests
    /// The socket for operators.
    case admin
}
