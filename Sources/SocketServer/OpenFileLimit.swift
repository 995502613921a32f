import Glibc

/// Raises the limit of open files, which is 1,024 on many machines, to what the system allows.
package struct OpenFileLimit: Sendable, Equatable {
    /// So many descriptors are kept for everything but peers: logs, tenants' connections, timers, listening sockets.
    package static let reserve = 64

    /// How many files may be open now.
    package let files: Int

    /// How many peers that leaves room for.
    package var connections: Int { max(1, files - Self.reserve - SocketServer.adminPlaces) }

    /// Raises the soft limit to the hard one; nil where the limit can't be read.
    package static func raise() -> OpenFileLimit? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        let before = limit
        limit.rlim_cur = limit.rlim_max
        let raised = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        return OpenFileLimit(files: Int(clamping: raised ? limit.rlim_cur : before.rlim_cur))
    }
}
