import CSystemd

/// The service manager's store of descriptors: what is in it outlives the daemon, and is handed to the next one.
///
/// The calls may block while the manager is busy, so they have no place on an event loop.
package enum DescriptorStore {
    /// Files that a store has to hold at least: one, and for a moment the one that takes its place.
    private static let leastSize = 2

    /// Whether a service manager listens at all, and its unit has a store that is large enough, as far as that is known.
    ///
    /// - Parameters:
    ///   - socket: `$NOTIFY_SOCKET`.
    ///   - size: `$FDSTORE`, which systemd sets from its version 254 on.
    package static func isThere(socket: String?, size: String?) -> Bool {
        !(socket ?? "").isEmpty && size.flatMap { Int($0) } ?? leastSize >= leastSize
    }

    /// Puts a descriptor in; another of the same name stays, too.
    ///
    /// - Returns: Whether it is on its way; a manager whose store is full says so in its own log only.
    package static func put(_ descriptor: CInt, named name: String) -> Bool {
        // Without FDPOLL=0 the manager would wait for its hanging up, which a file never does.
        unsafe withUnsafePointer(to: descriptor) {
            unsafe sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0", $0, 1) > 0
        }
    }

    /// Takes all descriptors of a name out.
    package static func remove(_ name: String) { _ = unsafe sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=\(name)") }

    /// Waits until the manager has done what it was told.
    ///
    /// - Parameter seconds: At most so long.
    package static func wait(seconds: UInt64) { _ = sd_notify_barrier(0, seconds * 1_000_000) }
}
