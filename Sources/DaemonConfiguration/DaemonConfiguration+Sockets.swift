/// The section `sockets`.
extension DaemonConfiguration {
    /// The two sockets.
    package struct Sockets: Sendable, Equatable {
        /// The applications' socket.
        package var requests = Socket(path: "/run/tokencached/tokencached.sock", mode: 0o660)
        /// The operators' socket.
        package var admin = Socket(path: "/run/tokencached-admin/admin.sock", mode: 0o600)
        /// The most connections over both.
        package var maxConnections = 4_096

        /// The packaged sockets.
        package init() {}
    }

    /// A socket to bind.
    package struct Socket: Sendable, Equatable {
        /// The absolute path.
        package var path: String
        /// The permissions, as in `chmod`.
        package var mode: UInt32
        /// A group's name or number, or nil for the process's own.
        package var group: String?
        /// The line of the group, for a fault that is found when it is looked up.
        package var groupLine: Int?
    }
}
