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
        /// Whether it gets nothing because it isn't known whom a rule means.
        let isUndecided: Bool
        fileprivate let gatekeeper: Gatekeeper

        fileprivate init(_ grant: Grant, isAdministrator: Bool, isUndecided: Bool, _ gatekeeper: Gatekeeper) {
            self.grant = grant
            self.isAdministrator = isAdministrator
            self.isUndecided = isUndecided
            self.gatekeeper = gatekeeper
        }
    }

    let policy: AccessPolicy
    private let grants: [Grant]
    private let nothing: Grant
    private let askForNames: (Peer) -> Void
    /// The rules that a peer's unit was wanted for and could not be seen.
    private(set) var rulesWithoutUnit: Set<Int> = []

    /// - Parameter askForNames: Is given a peer whose names have to be known to decide; another policy may follow.
    init(_ policy: AccessPolicy, askForNames: @escaping (Peer) -> Void) {
        self.policy = policy
        self.askForNames = askForNames
        grants = policy.rules.map { Grant($0, policy.directory) }
        nothing = Grant(nil, policy.directory)
    }

    /// What the peer of a connection may do.
    func standing(of client: Client) -> Standing {
        if let standing = client.standing, standing.gatekeeper === self { return standing }
        var (grant, isUndecided) = (nothing, false)
        switch policy.decide(client.peer) {
        case .rule(let index): grant = grants[index]
        case .noRule: break
        case .undecided(let index, let doubt):
            isUndecided = true
            if doubt == .unit { rulesWithoutUnit.insert(index) } else { askForNames(client.peer) }
        }
        let standing = Standing(
            grant,
            isAdministrator: policy.administrators.contains(client.peer),
            isUndecided: isUndecided,
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
