import CSystemd
import Glibc

/// The systemd unit of the process at the other end of a Unix socket.
package enum PeerUnit {
    /// `SO_PEERPIDFD` of `asm-generic/socket.h`, which older headers lack: a handle on the peer's process (Linux 6.5).
    private static let peerProcessOption: CInt = 77

    /// A peer's unit can't be seen: the process is gone, or hidden from here.
    package struct Hidden: Error {}

    /// The unit's name, such as `myapp.service`; nil where the peer belongs to none.
    ///
    /// libsystemd goes by the process's number, which is another process's once the peer has ended. So the peer's process
    /// is held on to before, and the answer counts only if it still runs afterwards. Kernels that can't say so leave the
    /// gap that they have.
    package static func of(_ socket: CInt) throws(Hidden) -> String? {
        let process: CInt?
        switch peerProcess(socket) {
        case .held(let descriptor): process = descriptor
        case .unsupported: process = nil
        case .gone: throw Hidden()
        }
        defer { if let process { close(process) } }
        var name: UnsafeMutablePointer<CChar>?
        let code = unsafe sd_peer_get_unit(socket, &name)
        defer { unsafe free(name) }
        if let process, hasEnded(process) { throw Hidden() }
        // Also where this machine has no systemd: then there are no units.
        if code == -ENODATA { return nil }
        guard code >= 0, let name = unsafe name else { throw Hidden() }
        return unsafe String(cString: name)
    }

    private enum PeerProcess {
        case held(CInt)
        case gone
        case unsupported
    }

    private static func peerProcess(_ socket: CInt) -> PeerProcess {
        var descriptor: CInt = -1
        var size = socklen_t(MemoryLayout<CInt>.size)
        guard unsafe getsockopt(socket, SOL_SOCKET, peerProcessOption, &descriptor, &size) == 0 else {
            return errno == ENOPROTOOPT ? .unsupported : .gone
        }
        return .held(descriptor)
    }

    /// A process's handle can be read once the process has ended.
    private static func hasEnded(_ process: CInt) -> Bool {
        var poll = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        return unsafe Glibc.poll(&poll, 1, 0) != 0
    }
}
