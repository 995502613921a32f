package import TokenCache
package import TokenProtocol

/// Applies one policy to all clients.
///
/// The rule that a peer matches is found at its first request and noted at its connection. Another policy has another
/// gatekeeper, which then finds the rule anew.
package final class Gatekeeper {
    /// The policy.
    package let policy: AccessPolicy
    /// The permissions of each rule, in the order of the rules.
    private let permissions: [PeerPermissions]
    private let noPermissions: PeerPermissions
    private let askForNames: (Peer) -> Void
    /// The rules that go by units and were tried for a peer whose unit could not be determined.
    private(set) var rulesWithoutUnit: Set<Int> = []

    /// Creates a gatekeeper for a policy.
    ///
    /// - Parameter askForNames: Looks up the names of a peer that are needed to decide. Another policy may follow.
    package init(_ policy: AccessPolicy, askForNames: @escaping (Peer) -> Void = { _ in }) {
        self.policy = policy
        self.askForNames = askForNames
        permissions = policy.rules.map { PeerPermissions($0, policy.directory) }
        noPermissions = PeerPermissions(nil, policy.directory)
    }

    /// Decides whether a client may do an operation, and finds the keys that its request refers to.
    package func authorize(
        _ operation: Operation,
        for client: Client
    ) throws(AuthorizationError) -> AuthorizedOperation {
        try authorization(of: client).authorize(operation)
    }

    /// The authorization of a client, which is noted at its connection.
    package func authorization(of client: Client) -> Authorization {
        if let authorization = client.authorization, authorization.gatekeeper === self { return authorization }
        var (rule, isUndecided) = (noPermissions, false)
        switch policy.decide(client.peer) {
        case .rule(let index): rule = permissions[index]
        case .noRule: break
        case .undecided(let index, let cause):
            isUndecided = true
            if cause == .unit { rulesWithoutUnit.insert(index) } else { askForNames(client.peer) }
        }
        let authorization = Authorization(client, rule, isUndecided: isUndecided, self)
        client.authorization = authorization
        return authorization
    }
}

@available(*, unavailable)
extension Gatekeeper: Sendable {}
