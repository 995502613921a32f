/// The user ID of a peer, as the kernel reports it.
///
/// It distinguishes the apps.
package typealias PeerUID = UInt32

/// The process at the other end of a connection, as the kernel reported it when it connected.
///
/// It is a class, created once per connection and passed on with each request.
package final class Peer: Sendable {
    /// The user ID of the process.
    package let uid: PeerUID
    /// The group ID of the process.
    package let gid: UInt32
    /// The process ID, or nil if it is not visible, as from another PID namespace.
    package let pid: Int32?
    /// The supplementary groups.
    package let groups: [UInt32]
    /// The systemd unit, or nil if there is none or it is not visible.
    package let unit: String?
    /// True if it may belong to a unit that is not visible.
    package let hidesUnit: Bool

    /// Creates a peer, by default one whose process and unit are not visible.
    package init(
        uid: PeerUID,
        gid: UInt32,
        pid: Int32? = nil,
        groups: [UInt32] = [],
        unit: String? = nil,
        hidesUnit: Bool = false
    ) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.groups = groups
        self.unit = unit
        self.hidesUnit = hidesUnit
    }
}

extension Peer: Equatable {
    /// True if everything that is known of both is equal.
    package static func == (left: Peer, right: Peer) -> Bool {
        left.uid == right.uid && left.gid == right.gid && left.pid == right.pid && left.groups == right.groups
            && left.unit == right.unit && left.hidesUnit == right.hidesUnit
    }
}
