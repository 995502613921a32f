import CSystemd
import Glibc
import SystemPackage

/// The systemd unit of the process at the other end of a Unix socket.
package enum PeerUnit {
    /// `SO_PEERPIDFD` of `asm-generic/socket.h`, which older headers lack: the peer's process descriptor (Linux 6.5).
    private static let peerProcessOption: CInt = 77

    /// A peer's unit can't be determined: the process has ended, or is hidden from this one.
    package struct Hidden: Error {}

    /// Returns the unit's name, such as `myapp.service`, or nil if the peer belongs to none.
    ///
    /// libsystemd looks up the process by its number, which may be another process's once the peer has ended. So the
    /// peer's process descriptor is opened first, and the answer counts only if the process still runs afterwards. On
    /// kernels without such descriptors this race remains.
    package static func of(_ socket: CInt) throws(Hidden) -> String? {
        let process = try peerProcess(socket)
        defer { try? process?.close() }
        var name: UnsafeMutablePointer<CChar>?
        let code = unsafe sd_peer_get_unit(socket, &name)
        defer { unsafe free(name) }
        if let process, hasEnded(process) { throw Hidden() }
        // This is also the answer on a machine without systemd, which has no units.
        if code == -ENODATA { return nil }
        guard code >= 0, let name = unsafe name else { throw Hidden() }
        return unsafe String(cString: name)
    }

    /// Opens the descriptor of a peer's process, or nil if the kernel has none.
    private static func peerProcess(_ socket: CInt) throws(Hidden) -> FileDescriptor? {
        var descriptor: CInt = -1
        var size = socklen_t(MemoryLayout<CInt>.size)
        if unsafe getsockopt(socket, SOL_SOCKET, peerProcessOption, &descriptor, &size) == 0 {
            return FileDescriptor(rawValue: descriptor)
        }
        guard errno == ENOPROTOOPT else { throw Hidden() }
        return nil
    }

    /// Returns true if a process has ended: then its descriptor can be read.
    private static func hasEnded(_ process: FileDescriptor) -> Bool {
        var poll = pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0)
        return unsafe Glibc.poll(&poll, 1, 0) != 0
    }
}
