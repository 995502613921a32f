package import TokenCache

/// Says what each peer may do, by the policy in force.
///
/// Which rule a peer falls under is decided at its first request and noted at its connection; another policy is another
/// gatekeeper, and then it is decided anew.
final class Gatekeeper {
    /// What a peer may do.
    final class Standing {
        let grant: Grant
        let isAdministrator: Bool
        fileprivate let gatekeeper: Gatekeeper

        fileprivate init(_ grant: Grant, isAdministrator: Bool, _ gatekeeper: Gatekeeper) {
            self.grant = grant
            self.isAdministrator = isAdministrator
            self.gatekeeper = gatekeeper
        }
    }

    let policy: AccessPolicy
    private let grants: [Grant]
    private let nothing: Grant

    init(_ policy: AccessPolicy) {
        self.policy = policy
        grants = policy.rules.map { Grant($0, policy.directory) }
        nothing = Grant(nil, policy.directory)
    }

    /// What the peer of a connection may do.
    func standing(of client: Client) -> Standing {
        if let standing = client.standing, standing.gatekeeper === self { return standing }
        let rule = policy.rules.firstIndex { $0.peers.contains(client.peer) }
        let standing = Standing(
            rule.map { grants[$0] } ?? nothing,
            isAdministrator: policy.administrators.contains(client.peer),
            self
        )
        client.standing = standing
        return standing
    }
}

@available(*, unavailable)
extension Gatekeeper: Sendable {}

/// Who asks: on which socket, and as whom by the kernel's word.
package final class Client {
    /// The socket.
    package let socket: SocketKind
    /// The peer.
    package let peer: Peer
    /// What it may do, as last decided.
    fileprivate var standing: Gatekeeper.Standing?

    /// Names it.
    package init(socket: SocketKind, peer: Peer) {
        self.socket = socket
        self.peer = peer
    }
}

@available(*, unavailable)
extension Client: Sendable {}
