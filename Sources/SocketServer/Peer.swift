import CLinux
import Glibc
package import NIOCore

/// Who is at the other end of a connection, by the kernel's word: as they were when they connected.
package struct Peer: Sendable, Hashable {
    /// The user that the process ran as.
    package let uid: UInt32

    /// Names a peer.
    package init(uid: UInt32) { self.uid = uid }

    /// The peer of a channel; one without a socket, in memory, is this very process.
    package init(of channel: any Channel) throws {
        let credentials = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) {
            try Self.credentials($0)
        }
        self.init(uid: credentials?.uid ?? getuid())
    }

    private static func credentials(_ descriptor: CInt) throws -> peer_credentials {
        var credentials = peer_credentials()
        var size = socklen_t(MemoryLayout<peer_credentials>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
            throw IOError(errnoCode: errno, reason: "getsockopt SO_PEERCRED")
        }
        return credentials
    }
}
