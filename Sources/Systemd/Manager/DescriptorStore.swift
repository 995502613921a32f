import CSystemd

/// The service manager's store of descriptors, which outlive the daemon and are handed to the next one.
///
/// The calls may block while the manager is busy, so they must not be made on an event loop.
package enum DescriptorStore {
    /// The least number of files that a store has to hold for tokens: one, and for a moment its replacement.
    private static let minSize = 2

    /// Returns true if a service manager listens, and its store is large enough as far as that is known.
    ///
    /// - Parameters:
    ///   - socket: `$NOTIFY_SOCKET`.
    ///   - size: `$FDSTORE`, which systemd sets from its version 254 on.
    package static func isAvailable(socket: String?, size: String?) -> Bool {
        !(socket ?? "").isEmpty && size.flatMap { Int($0) } ?? minSize >= minSize
    }

    /// Adds a descriptor, beside others of the same name.
    ///
    /// - Returns: True if it has been sent. A manager whose store is full reports that in its own log only.
    package static func put(_ descriptor: CInt, named name: String) -> Bool {
        // Without FDPOLL=0 the manager would poll the descriptor for a hang-up, which a file never has.
        unsafe withUnsafePointer(to: descriptor) {
            unsafe sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0", $0, 1) > 0
        }
    }

    /// Removes all descriptors of a name.
    package static func remove(_ name: String) { _ = unsafe sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=\(name)") }

    /// Waits until the manager has handled what it was sent.
    ///
    /// - Parameter seconds: The longest wait.
    package static func wait(seconds: UInt64) { _ = sd_notify_barrier(0, seconds * 1_000_000) }
}
