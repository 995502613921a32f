import Glibc

/// The limit of open files, which is raised from 1,024 on many machines to what the system allows.
package struct OpenFileLimit: Sendable, Equatable {
    /// The descriptors that are reserved for logs, tenants' connections, timers and listening sockets, and for the 256
    /// connections of the metrics over HTTP.
    package static let reserve = 320

    /// The number of files that may be open.
    package let files: Int

    /// The number of connections that the limit allows.
    package var connections: Int { max(1, files - Self.reserve - SocketServer.reservedAdminConnections) }

    /// Raises the soft limit to the hard one.
    ///
    /// Returns nil if the limit can't be read.
    package static func raise() -> OpenFileLimit? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        let before = limit
        limit.rlim_cur = limit.rlim_max
        let raised = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return OpenFileLimit(files: Int(clamping: raised ? limit.rlim_cur : before.rlim_cur))
    }
}
