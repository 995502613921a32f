import CLinux
import Glibc
import SystemPackage
package import TokenCache

extension Peer {
    /// Finds the unit of a socket's peer.
    ///
    /// Returns nil if it belongs to none, and throws if that can't be determined.
    package typealias UnitLookup = (CInt) throws -> String?

    /// The peer of a connected socket.
    package static func of(_ descriptor: CInt, unit: UnitLookup) throws -> Peer { try Peer(descriptor, unit: unit) }

    /// The user of the peer of a connected socket.
    static func user(of descriptor: CInt) throws(Errno) -> UInt32 { try credentials(descriptor).uid }

    private convenience init(_ descriptor: CInt, unit: UnitLookup) throws {
        let credentials = try Self.credentials(descriptor)
        // Zero stands for a process without a number in this namespace, whose unit can't be determined either.
        let pid = credentials.pid > 0 ? credentials.pid : nil
        var (name, isHidden) = (nil as String?, pid == nil)
        if !isHidden {
            do { name = try unit(descriptor) } catch { isHidden = true }
        }
        self.init(
            uid: credentials.uid,
            gid: credentials.gid,
            pid: pid,
            groups: try Self.groups(descriptor),
            unit: name,
            hidesUnit: isHidden
        )
    }

    private static func credentials(_ descriptor: CInt) throws(Errno) -> peer_credentials {
        var credentials = peer_credentials()
        var size = socklen_t(MemoryLayout<peer_credentials>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
            throw Errno(rawValue: errno)
        }
        return credentials
    }

    /// A number of groups that few processes exceed.
    ///
    /// For a process with more groups the kernel reports their number.
    private static let commonGroups = 32

    private static func groups(_ descriptor: CInt) throws(Errno) -> [UInt32] {
        var capacity = commonGroups
        while true {
            var size = socklen_t(capacity * MemoryLayout<UInt32>.stride)
            var error: CInt = 0
            let groups = unsafe [UInt32](unsafeUninitializedCapacity: capacity) { buffer, count in
                let code = unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, buffer.baseAddress, &size)
                error = code == 0 ? 0 : errno
                count = code == 0 ? Int(size) / MemoryLayout<UInt32>.stride : 0
            }
            guard error == ERANGE, Int(size) / MemoryLayout<UInt32>.stride > capacity else {
                guard error == 0 else { throw Errno(rawValue: error) }
                return groups
            }
            capacity = Int(size) / MemoryLayout<UInt32>.stride
        }
    }
}
