import CLinux
import Glibc

/// The process that listens on a Unix socket, as it was when it began to listen.
package struct SocketListener: Sendable, Equatable {
    package let process: Int32
    package let user: UInt32

    /// Creates a listener.
    package init(process: Int32, user: UInt32) {
        self.process = process
        self.user = user
    }

    /// Connects to a path, finds its listener, and ends the connection.
    package static func at(_ path: String) throws(UnixConnection.Fault) -> SocketListener {
        let descriptor = try UnixConnection.open(path)
        defer { close(descriptor) }
        var credentials = peer_credentials()
        var size = socklen_t(MemoryLayout<peer_credentials>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
            throw UnixConnection.Fault(code: errno)
        }
        return SocketListener(process: credentials.pid, user: credentials.uid)
    }
}
