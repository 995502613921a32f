/// Who is at the other end of a connection, by the kernel's word: as they were when they connected.
///
/// It is a class, made once a connection and handed on with every request.
package final class Peer: Sendable {
    /// The user that the process ran as.
    package let uid: PeerUID
    /// The group that it ran as.
    package let gid: UInt32
    /// The process; nil where it can't be seen from here, as from another PID namespace.
    package let pid: Int32?
    /// The further groups that it was in.
    package let groups: [UInt32]
    /// The systemd unit that it belongs to; nil: it belongs to none, or that can't be seen from here.
    package let unit: String?
    /// Whether it may belong to a unit that can't be seen.
    package let hidesUnit: Bool

    /// Names a peer.
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
    /// Whether all that is known of both is the same.
    package static func == (left: Peer, right: Peer) -> Bool {
        left.uid == right.uid && left.gid == right.gid && left.pid == right.pid && left.groups == right.groups
            && left.unit == right.unit && left.hidesUnit == right.hidesUnit
    }
}
