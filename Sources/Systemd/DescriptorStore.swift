import CSystemd

/// The service manager's store of descriptors: what is in it outlives the daemon, and is handed to the next one.
///
/// The calls may block while the manager is busy, so they have no place on an event loop.
package enum DescriptorStore {
    /// Whether a service manager listens at all; whether its unit has a store only the manager knows.
    ///
    /// - Parameters:
    ///   - socket: `$NOTIFY_SOCKET`.
    ///   - size: `$FDSTORE`, which systemd sets from its version 254 on.
    package static func isThere(socket: String?, size: String?) -> Bool {
        !(socket ?? "").isEmpty && size != "0"
    }

    /// Puts a descriptor in; another of the same name stays, too.
    package static func put(_ descriptor: CInt, named name: String) {
        // Without FDPOLL=0 the manager would wait for its hanging up, which a file never does.
        _ = unsafe withUnsafePointer(to: descriptor) {
            unsafe sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0", $0, 1)
        }
    }

    /// Takes all descriptors of a name out.
    package static func remove(_ name: String) { _ = unsafe sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=\(name)") }

    /// Waits until the manager has done what it was told.
    ///
    /// - Parameter seconds: At most so long.
    package static func wait(seconds: UInt64) { _ = sd_notify_barrier(0, seconds * 1_000_000) }
}
