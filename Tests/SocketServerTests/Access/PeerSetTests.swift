import SocketServer
import Testing
import TokenCache
import TokenProtocol

@Suite("Sets of peers")
struct PeerSetTests {
    @Test(
        "A peer is in a set by its user, one of its groups or its unit, and never in an empty set."
    )
    func membership() {
        let peer = Peer(uid: 10, gid: 20, groups: [30, 31], unit: "app@1.service")
        for set in [
            PeerSet.everyone, PeerSet(users: [10]), PeerSet(groups: [20]), PeerSet(groups: [1, 31]),
            PeerSet(units: [Glob("app@*.service")]), PeerSet(users: [99], units: [Glob("app@1.service")]),
        ] {
            #expect(set.contains(peer))
        }
        for set in [
            PeerSet(), PeerSet(users: [20]), PeerSet(groups: [10]), PeerSet(units: [Glob("app@1")]),
        ] {
            #expect(!set.contains(peer))
        }
        #expect(
            !PeerSet(units: [.everything]).contains(Peer(uid: 10, gid: 20)),
            "a peer without a unit matches no pattern"
        )
    }
}
